import { describe, expect, test } from "bun:test"
import { Effect, Layer, Option } from "effect"
import { bind } from "../../src/cli/Command.ts"
import { healthcheck } from "../../src/cli/Healthcheck.ts"
import { main } from "../../src/cli/Main.ts"
import { style } from "../../src/cli/Style.ts"
import { render } from "../../src/cli/Table.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { ConfigInvalid, ConfigMissing } from "../../src/config/ConfigError.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { it } from "../support/effect.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"

/** A healthcheck whose layers cannot be built. */
const checked = (error: ConfigInvalid | ConfigMissing | StoreUnavailable) => {
  const terminal = fakeTerminal({ argv: ["healthcheck"] })
  const program = {
    name: "agent-runtime",
    version: "test",
    summary: "",
    commands: [bind(healthcheck, () => Layer.fail(error))]
  } as const
  return main(program).pipe(
    Effect.provideService(Terminal, terminal.service),
    Effect.map((code) => ({ code, out: terminal.out(), err: terminal.err() }))
  )
}

const problem = { kind: "rule", path: "x", found: "found 0", expected: "1", remedy: "" } as const

describe("a healthcheck without a usable configuration", () => {
  it.effect("answers the report with every problem and exits 1", () =>
    Effect.gen(function* () {
      const problems = [
        { file: "/c.json", ...problem },
        { file: "/c.json", ...problem, path: "y" }
      ]
      const { code, err, out } = yield* checked(new ConfigInvalid({ path: "/c.json", problems }))
      expect([code, err]).toEqual([1, ""])
      expect(JSON.parse(out)).toEqual({
        ok: false,
        config_issues: ["/c.json: x: found 0; expected 1", "/c.json: y: found 0; expected 1"],
        profiles: [],
        adapters: [],
        store: null,
        disk: null,
        checks: []
      })
    })
  )

  it.effect("answers the report for a file that is missing too", () =>
    Effect.gen(function* () {
      const { code, out } = yield* checked(new ConfigMissing({ path: "/c.json" }))
      expect(code).toBe(1)
      expect(JSON.parse(out).config_issues[0]).toStartWith("there is no configuration file at /c.json")
    })
  )
})

it.effect("any other error of its layers is its failure", () =>
  Effect.gen(function* () {
    const { code, out } = yield* checked(new StoreUnavailable({ path: "/x", reason: "no", remedy: "" }))
    expect([code, out]).toEqual([3, ""])
  })
)

describe("a healthcheck of a person at a terminal", () => {
  const well = { ok: true, problems: [], warnings: [] }
  const store = {
    path: "/x.db",
    schema_version: 1,
    journal_mode: "wal",
    size_bytes: 1,
    wal_bytes: 0,
    backed_up_at: null,
    ...well
  }
  const health: Parameters<NonNullable<typeof healthcheck.view>>[0] = {
    ok: true,
    config_issues: [],
    profiles: [{ id: "lumen", ...well }],
    adapters: [{ id: "local", mode: "script", reason: "", remedy: "", ...well }],
    store,
    disk: { path: "/", free_bytes: 1, ...well },
    checks: [{ id: "clock", ...well }]
  }
  const page = (changes: Partial<typeof health>) =>
    render(healthcheck.view?.({ ...health, ...changes }) ?? [], {
      style: style(false),
      columns: Option.none()
    })

  test("says that all is well, and what was looked at", () =>
    expect(page({})).toBe("health  ok\n\nLooked at\n1 adapter, 1 profile, the store, the disk, clock\n"))

  test("says what is wrong, since when and what mends it, then what is worth knowing", () =>
    expect(
      page({
        ok: false,
        adapters: [
          {
            id: "codex",
            mode: "agent-cli",
            ok: false,
            reason: "codex is not on PATH",
            remedy: "install it",
            problems: ["codex is not on PATH; install it"],
            warnings: [],
            last_attempt: {
              attempt_id: "a",
              ended_at: "2026-04-29T07:01:02.003Z",
              exit_status: "ok",
              reason: null
            }
          }
        ],
        store: { ...store, ok: false, problems: ["it is full; free some space"], warnings: ["no backup"] }
      })
    ).toBe(`health  2 things are wrong

adapter codex
what   codex is not on PATH
since  its last attempt ended ok at 2026-04-29T07:01:02.003Z
mend   install it

store
what  it is full; free some space

Worth knowing
store: no backup

Looked at
1 adapter, 1 profile, the store, the disk, clock
`))
})
