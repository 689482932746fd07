import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { scheduleList, scheduleShow } from "../../src/cli/Schedules.ts"
import { style } from "../../src/cli/Style.ts"
import { render } from "../../src/cli/Table.ts"

type Shown = Parameters<NonNullable<typeof scheduleShow.view>>[0]

const schedule: Shown["schedule"] = {
  schedule_id: "0196a1b2-0000-7000-8000-000000000001",
  name: "heartbeat",
  enabled: true,
  interval_seconds: 305,
  cron: null,
  timezone: null,
  next_run_at: "2026-04-29T07:05:05.000Z",
  last_run_at: "2026-04-29T07:00:00.000Z",
  last_task_id: null,
  overlap: "skip",
  task: { kind: "note", source: "beat", payload: {} },
  disabled_reason: null,
  created_at: "2026-04-29T07:00:00.000Z",
  updated_at: "2026-04-29T07:00:00.000Z"
}

const fate: Shown["fates"][number] = {
  first_due_at: "2026-04-29T07:00:00.000Z",
  last_due_at: "2026-04-29T07:00:00.000Z",
  missed: 0,
  fate: "fired",
  task_id: "t-1",
  task_status: "completed",
  reason: null,
  evaluated_at: "2026-04-29T07:00:00.000Z"
}

const terminal = { style: style(false), columns: Option.none() }

describe("schedules at a terminal", () => {
  test("are a line each, by interval or by cron with its zone", () => {
    const cron = { ...schedule, name: "night", interval_seconds: null, cron: "30 2 * * *", enabled: false }
    const zoned = { ...cron, timezone: "Europe/Zurich" }
    const lines = render(scheduleList.view?.({ schedules: [schedule, cron, zoned] }) ?? [], terminal).split(
      "\n"
    )
    expect(lines[1]).toMatch(/^heartbeat +every 305 s +yes +2026-04-29T07:05:05\.000Z .* note *$/)
    expect(lines[2]).toMatch(/^night +30 2 \* \* \* \(UTC\) +no /)
    expect(lines[3]).toContain("30 2 * * * (Europe/Zurich)")
    expect(render(scheduleList.view?.({ schedules: [] }) ?? [], terminal)).toContain("schedule-create")
  })

  test("show what became of each due time, and how many a coalesced one stands for", () => {
    const missed = {
      ...fate,
      first_due_at: "2026-04-29T07:05:05.000Z",
      last_due_at: "2026-04-29T07:20:20.000Z",
      missed: 4,
      fate: "coalesced" as const,
      task_id: null
    }
    const text = render(scheduleShow.view?.({ schedule, fates: [missed, fate] }) ?? [], terminal)
    expect(text).toMatch(/2026-04-29T07:05:05\.000Z +2026-04-29T07:20:20\.000Z +coalesced \(4 missed\)/)
    expect(text).toMatch(/2026-04-29T07:00:00\.000Z +- +fired +t-1/)
    expect(render(scheduleShow.view?.({ schedule, fates: [] }) ?? [], terminal)).toContain(
      "none has come yet"
    )
  })
})
