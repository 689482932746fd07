import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { adapters } from "../../src/cli/Adapters.ts"
import { style } from "../../src/cli/Style.ts"
import { render } from "../../src/cli/Table.ts"

type Shown = Parameters<NonNullable<typeof adapters.view>>[0]
type Row = Shown["adapters"][number]

const row = (changes: Partial<Row> = {}): Row => ({
  id: "local",
  mode: "script",
  driver: null,
  model: null,
  workspace: "shared",
  autonomy: null,
  fallback: null,
  default: false,
  untrusted: true,
  concurrency: null,
  running: 0,
  cooldown: null,
  ...changes
})

const table = (...rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  render(adapters.view?.({ adapters: rows }) ?? [], { style: style(false), columns: Option.none() })
    .trimEnd()
    .split("\n")

describe("the adapters of a person at a terminal", () => {
  test("are a line each, with what holds them back", () => {
    const lines = table(
      row({ default: true }),
      row({
        id: "codex",
        mode: "agent-cli",
        driver: "codex",
        model: "a-model",
        autonomy: "trusted-vm",
        fallback: "local",
        untrusted: false,
        concurrency: 2,
        running: 1,
        cooldown: { until: "2026-04-29T07:01:02.003Z", reason: "429" }
      })
    )
    expect(lines[0]).not.toContain("remarks")
    expect(lines[1]).toMatch(/^local \(default\) +script +- +0 +yes +- +-$/)
    expect(lines[2]).toMatch(
      /^codex +agent-cli codex trusted-vm +a-model +1 of 2 +no +local +2026-04-29T07:01:02\.003Z$/
    )
  })

  test("say with their probes what is wrong and what mends it", () => {
    const lines = table(
      row({ ok: true, reason: "", remedy: "", warnings: ["take care"] }),
      row({
        id: "codex",
        ok: false,
        reason: "codex is not on PATH",
        remedy: "install it",
        problems: ["codex is not on PATH; install it", "no key; make it"],
        warnings: [],
        last_attempt: {
          attempt_id: "a1",
          ended_at: "2026-04-29T07:01:02.003Z",
          exit_status: "error",
          reason: "cannot start"
        }
      }),
      row({ id: "cold", ok: true, cooldown: { until: "2026-04-29T07:01:02.003Z", reason: "429" } })
    )
    expect(lines[1]).toMatch(/^local +ok +script /)
    expect(lines[2]).toMatch(/^codex +not ok +script /)
    expect(lines.slice(4)).toEqual([
      "",
      "adapter codex",
      "what   codex is not on PATH",
      "since  its last attempt ended error at 2026-04-29T07:01:02.003Z: cannot start",
      "mend   install it",
      "",
      "adapter codex",
      "what  no key; make it",
      "",
      "Worth knowing",
      "adapter local: take care",
      "adapter cold: it cools down until 2026-04-29T07:01:02.003Z (429); agent-runtime adapter-clear cold ends that"
    ])
  })
})

test("the exit code is 1 only when a probe says no", () => {
  const code = (...rows: ReadonlyArray<Row>) => adapters.exitCode?.({ adapters: rows })
  const cooldown = { until: "2026-04-29T07:01:02.003Z", reason: null }
  expect(code(row({ cooldown }), row())).toBe(0)
  expect(code(row({ ok: true, warnings: ["take care"] }))).toBe(0)
  expect(code(row({ ok: true }), row({ ok: false }))).toBe(1)
})
