import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import type { RecurringSchedule } from "../../../src/domain/RecurringSchedule.ts"
import { doubled, type Produced, producerOf } from "../../../src/operate/health/Producers.ts"
import { at } from "../../support/store.ts"

const schedule = (name: string, of: Partial<RecurringSchedule> = {}): RecurringSchedule => ({
  scheduleId: name,
  name,
  enabled: true,
  intervalSeconds: Option.some(305),
  cron: Option.none(),
  timezone: Option.none(),
  nextRunAt: at(0),
  lastRunAt: Option.none(),
  lastTaskId: Option.none(),
  overlap: "skip",
  task: { kind: "heartbeat", source: `schedule:${name}`, payload: {} },
  disabledReason: Option.none(),
  createdAt: at(0),
  updatedAt: at(0),
  ...of
})

/** Tasks by their source and the second of their making. */
const made = (of: RecurringSchedule, ...tasks: ReadonlyArray<readonly [string, number]>): Produced => ({
  schedule: of,
  kind: "heartbeat",
  tasks: tasks.map(([source, second]) => ({ source, createdAt: at(second) }))
})

const due = "2026-04-29T07:00:00.000Z"
const beat = schedule("beat")

describe("two producers of one kind", () => {
  test("are told by their names where both are schedules", () => {
    const other = schedule("other", { task: { kind: "heartbeat", source: "its-source", payload: {} } })
    const tasks = [
      [`schedule:beat:${due}`, 0],
      ["its-source:2026-04-29T07:00:00.000Z", 100]
    ] as const
    expect(doubled([made(beat, ...tasks), made(other, ...tasks)], at(200))).toEqual([
      "schedule beat and schedule other both queue heartbeat tasks within one interval of 305 s; keep one of them: agent-runtime schedule-disable beat"
    ])
  })

  test("are told once, with the command that ends one", () => {
    const warned = doubled([made(beat, [`schedule:beat:${due}`, 0], ["cron-script", 100])], at(200))
    expect(warned).toEqual([
      "schedule beat and cron-script both queue heartbeat tasks within one interval of 305 s; keep one of them: agent-runtime schedule-disable beat"
    ])
  })

  test("are one pair where both are schedules", () => {
    const tasks = [[`schedule:beat:${due}`, 0] as const, [`schedule:other:${due}`, 10] as const]
    const warned = doubled([made(beat, ...tasks), made(schedule("other"), ...tasks)], at(200))
    expect(warned.length).toBe(1)
  })

  const quiet: ReadonlyArray<readonly [string, Produced, number]> = [
    [
      "one producer, however often",
      made(beat, [`schedule:beat:${due}`, 0], [`schedule:beat:${due}`, 1]),
      200
    ],
    ["another one, an interval later", made(beat, [`schedule:beat:${due}`, 0], ["cron-script", 305]), 400],
    ["what was a day ago", made(beat, [`schedule:beat:${due}`, 0], ["cron-script", 100]), 90_000],
    [
      "a schedule by the calendar",
      made(schedule("beat", { intervalSeconds: Option.none() }), [`schedule:beat:${due}`, 0], ["x", 1]),
      200
    ]
  ]
  for (const [what, produced, second] of quiet)
    test(`are not: ${what}`, () => expect(doubled([produced], at(second))).toEqual([]))

  test("are named without the due time that a schedule writes", () => {
    expect(producerOf(`a:b:${due}`)).toBe("a:b")
    expect(producerOf("sensor:gh")).toBe("sensor:gh")
  })
})
