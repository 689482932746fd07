import { describe, expect } from "bun:test"
import { Effect, Layer } from "effect"
import { bind } from "../../src/cli/Command.ts"
import { healthcheck } from "../../src/cli/Healthcheck.ts"
import { main } from "../../src/cli/Main.ts"
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
        disk: null
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
