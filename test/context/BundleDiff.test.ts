import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { changesBetween, changesOf, shortened } from "../../src/context/BundleDiff.ts"
import { sha256 } from "../../src/context/Canonical.ts"
import { it } from "../support/effect.ts"
import { finished, frozen, profile, script, task } from "./world.ts"

const payload = (words: Record<string, unknown>) => ({ task: task({ payload: words }) })

describe("what changed between two bundles", () => {
  it.effect("is nothing but for ids and what follows from the inputs", () =>
    Effect.gen(function* () {
      const { bundle } = yield* frozen()
      expect(changesBetween(bundle, { ...bundle, prompt: { renderedText: "other" } })).toEqual([])
    })
  )

  it.effect("is named part by part, by its place on the wire", () =>
    Effect.gen(function* () {
      const a = yield* frozen(payload({ message: "old", deep: { list: [{ n: 1 }, { n: 2 }] }, gone: 1 }))
      const b = yield* frozen({
        ...payload({ message: "new", deep: { list: [{ n: 1 }, { n: 3 }] }, "a b": null }),
        profile: profile({ role: "cook" }),
        adapter: script({ id: "other", extraArgs: ["-v"] }),
        model: Option.some("m")
      })
      expect(changesBetween(a.bundle, b.bundle)).toEqual([
        { path: "task.payload.message", before: "old", after: "new" },
        { path: "task.payload.deep.list[1].n", before: 2, after: 3 },
        { path: "task.payload.gone", before: 1, after: undefined },
        { path: 'task.payload["a b"]', before: undefined, after: null },
        { path: "profile.role", before: "keeper of the house", after: "cook" },
        { path: "adapter.id", before: "local", after: "other" },
        { path: "adapter.model", before: null, after: "m" },
        { path: "adapter.args", before: [], after: ["-v"] }
      ])
    })
  )

  it.effect("tells artifacts and memory by what they are, not by their place in the list", () =>
    Effect.gen(function* () {
      const given = {
        task: task({ payload: { output_path: "out.md", required_artifacts: ["more.md"] } }),
        profile: profile({ context_policy: { include_recent_task_memory: true } })
      }
      const a = yield* frozen({ ...given, memory: [finished("m1", "first")] }, {}, {}, { "more.md": "one" })
      const b = yield* frozen(
        { ...given, memory: [finished("m2", "second"), finished("m1", "first")] },
        {},
        {},
        {
          "more.md": "two"
        }
      )
      const found = changesBetween(a.bundle, b.bundle)
      expect(found.map(({ path }) => path)).toEqual(["artifacts[required more.md].sha256", "memory[m2]"])
      expect(found[1]?.before).toBeUndefined()
    })
  )

  it.effect("tells a list whose entries share a name entry by entry", () =>
    Effect.sync(() => {
      const two = [
        { name: "x", sha256: null },
        { name: "x", sha256: "1" }
      ]
      expect(
        changesOf({ external_inputs: two }, { external_inputs: [two[0], { name: "x", sha256: "2" }] })
      ).toEqual([{ path: "external_inputs[x #1].sha256", before: "1", after: "2" }])
    })
  )
})

describe("a differing value", () => {
  it.effect("is told whole while it is short, and as null where there is none", () =>
    Effect.gen(function* () {
      expect(yield* shortened("word")).toBe("word")
      expect(yield* shortened({ a: [1] })).toEqual({ a: [1] })
      expect(yield* shortened(undefined)).toBeNull()
    })
  )

  it.effect("is its beginning, its length and its hash when it is long", () =>
    Effect.gen(function* () {
      const long = "word ".repeat(1_000_000)
      expect(yield* shortened(long)).toEqual({
        text: `${long.slice(0, 119)}…`,
        characters: 5_000_000,
        sha256: yield* sha256(long)
      })
      expect(yield* shortened({ b: long, a: 1 })).toMatchObject({
        text: expect.stringMatching(/^\{"a":1,"b":"word /),
        sha256: yield* sha256(`{"a":1,"b":${JSON.stringify(long)}}`)
      })
    })
  )
})
