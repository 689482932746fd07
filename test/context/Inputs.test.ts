import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { Effect, Option } from "effect"
import { knownFiles, MOST_EXTERNAL_INPUTS } from "../../src/context/Inputs.ts"
import { it } from "../support/effect.ts"
import { agentCli, frozen, openai, script, task } from "./world.ts"

const sha = (text: string) => Option.some(createHash("sha256").update(text).digest("hex"))
const workingDir = Option.some({ given: "../work", path: "/work" })

describe("the artifacts of a bundle", () => {
  it.effect("are what the task declares, with role, path as named and what is there", () =>
    Effect.gen(function* () {
      const payload = {
        phase: "execute",
        proposal_artifact: "plans/./p.md",
        implementation_artifact: "reports/r.md",
        required_artifacts: ["extra.md"]
      }
      const { bundle, known } = yield* frozen({ task: task({ payload }) }, {}, {}, { "plans/p.md": "# Plan" })
      expect(bundle.artifacts).toEqual([
        { role: "implementation", path: "reports/r.md", exists: false, sha256: Option.none() },
        { role: "required", path: "extra.md", exists: false, sha256: Option.none() },
        { role: "proposal", path: "plans/./p.md", exists: true, sha256: sha("# Plan") }
      ])
      expect(known).toEqual([
        { path: "reports/r.md", sha256: Option.none() },
        { path: "extra.md", sha256: Option.none() },
        { path: "plans/./p.md", sha256: sha("# Plan") }
      ])
    })
  )

  it.effect("hold the latest reports of a goal loop, the newer of two", () =>
    Effect.gen(function* () {
      const payload = { phase: "verify", implementation_artifact: "r/x-execute-2.md" }
      const files = { "r/x-execute-2.md": "two", "r/x-execute-1.md": "one", "r/x-verify-1.md": "seen" }
      const { bundle } = yield* frozen({ task: task({ payload }) }, {}, {}, files)
      expect(bundle.artifacts.map(({ role, path }) => [role, path])).toEqual([
        ["implementation", "r/x-execute-2.md"],
        ["latest_execute_report", "r/x-execute-2.md"],
        ["latest_verify_report", "r/x-verify-1.md"]
      ])
    })
  )

  for (const path of ["../outside.md", "/etc/passwd", "a\0b"])
    it.effect(`refuse ${JSON.stringify(path)} and name it`, () =>
      Effect.map(Effect.flip(frozen({ task: task({ payload: { output_path: path } }) })), (failed) => {
        expect(failed.reason).toBe("path_refused")
        expect(failed.detail).toContain(JSON.stringify(path))
      })
    )

  test("are each known once", () => {
    const one = { role: "output", path: "a", exists: false, sha256: Option.none<string>() }
    expect(knownFiles([one, { ...one, role: "required" }])).toEqual([{ path: "a", sha256: Option.none() }])
  })
})

describe("external inputs", () => {
  const found = (payload: unknown, files = {}, adapter = script({ workingDir })) =>
    Effect.map(
      frozen(
        { task: task({ payload }), adapter },
        {},
        { files: { "/work/docs/b.md": { text: "below work" }, "/secret.md": { text: "no" } } },
        files
      ),
      ({ bundle, replayGrade }) => ({ inputs: bundle.externalInputs, replayGrade })
    )

  it.effect("are looked for below the artifact root, then below the working directory", () =>
    Effect.gen(function* () {
      const { inputs, replayGrade } = yield* found(
        { sources: ["docs/a.md", "docs/b.md"] },
        { "docs/a.md": "below root" }
      )
      expect(inputs).toEqual([
        { name: "docs/a.md", cached: true, sha256: sha("below root") },
        { name: "docs/b.md", cached: true, sha256: sha("below work") }
      ])
      expect(replayGrade).toBe("inputs_frozen")
    })
  )

  it.effect("that are addresses, absent or outside are uncached, and the grade says so", () =>
    Effect.gen(function* () {
      const sources = ["https://example.com/a", "docs/none.md", "../secret.md", "/secret.md"]
      const { inputs, replayGrade } = yield* found({ sources })
      expect(inputs).toEqual(sources.map((name) => ({ name, cached: false, sha256: Option.none() })))
      expect(replayGrade).toBe("best_effort")
    })
  )

  it.effect("may be named with the place of a copy below the artifact root", () =>
    Effect.gen(function* () {
      const external_inputs = [
        { name: "prices", cached_path: "cache/prices.json" },
        { name: "news" },
        "weather",
        { cached_path: "x" },
        7
      ]
      const { inputs } = yield* found({ external_inputs }, { "cache/prices.json": "{}" })
      expect(inputs).toEqual([
        { name: "prices", cached: true, sha256: sha("{}") },
        { name: "news", cached: false, sha256: Option.none() },
        { name: "weather", cached: false, sha256: Option.none() }
      ])
    })
  )

  it.effect("are looked at a hundred times at most", () =>
    Effect.gen(function* () {
      const { inputs } = yield* found({ sources: Array.from({ length: 5_000 }, (_, at) => `s${at}`) })
      expect(inputs).toHaveLength(MOST_EXTERNAL_INPUTS + 1)
      expect(inputs.at(-1)).toEqual({ name: "4,900 more", cached: false, sha256: Option.none() })
    })
  )
})

describe("the workspace of a bundle", () => {
  it.effect("is the adapter's working directory as configured, with its git state", () =>
    Effect.gen(function* () {
      const snapshot = {
        repository: true,
        root: Option.some("/work"),
        gitSha: Option.some("a".repeat(40)),
        dirty: Option.some(true)
      }
      const { bundle, replayGrade } = yield* frozen(
        { adapter: script({ workingDir }) },
        {},
        { snapshots: { "/work": snapshot } }
      )
      expect(bundle.workspace).toEqual({
        path: Option.some("../work"),
        repository: true,
        gitSha: Option.some("a".repeat(40)),
        dirty: Option.some(true)
      })
      expect(replayGrade).toBe("best_effort")
    })
  )

  it.effect("is an explicit marker where there is no repository or no directory", () =>
    Effect.gen(function* () {
      const none = { repository: false, gitSha: Option.none(), dirty: Option.none() }
      const plain = yield* frozen({ adapter: agentCli({ workingDir }) })
      expect(plain.bundle.workspace).toEqual({ path: Option.some("../work"), ...none })
      const remote = yield* frozen({ adapter: openai() })
      expect(remote.bundle.workspace).toEqual({ path: Option.none(), ...none })
    })
  )
})
