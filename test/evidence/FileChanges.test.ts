import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { Effect, Option } from "effect"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { verify } from "../../src/evidence/Verify.ts"
import { it } from "../support/effect.ts"
import { growsLinearly } from "../support/growth.ts"
import { claim, NEW, OLD, outcome, round, world } from "./claim.ts"

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

describe("a reported file change", () => {
  test("costs no more than linear time where as many files are known", () =>
    growsLinearly((share) => {
      const names = Array.from({ length: 8_000 * share }, (_, n) => `f${n}.md`)
      const files = Object.fromEntries(
        names.map((name) => [`/work/${name}`, { text: "text", changedAtMs: OLD }])
      )
      const knownFiles = Object.fromEntries(names.map((name) => [name, sha256("text")]))
      const issues = verify(claim({ outcome: outcome({ fileChanges: names }), round: round(knownFiles) }))
      const provided = Effect.provide(issues, world({ "/work": {}, ...files }))
      expect(Effect.runSync(Effect.scoped(provided))).toHaveLength(101)
    }))

  it.effect("is looked at once, and its content read once, however often and by whatever name", () =>
    Effect.gen(function* () {
      const store = yield* ArtifactStore
      const asked: Array<string> = []
      const counting: typeof store = {
        ...store,
        survey: () => {
          const { observe, resolve } = store.survey()
          return {
            resolve,
            observe: (path) => {
              asked.push("observe")
              return observe(path)
            }
          }
        },
        hash: (path) =>
          Effect.tap(store.hash(path), () => {
            asked.push("hash")
          })
      }
      const names = ["wiki/a.md", "created: wiki/a.md", "./wiki/a.md", "wiki/./a.md", "wiki/../wiki/a.md"]
      const issues = yield* Effect.provideService(
        verify(
          claim({
            outcome: outcome({ fileChanges: [...names, ...names] }),
            workingDir: Option.none(),
            round: round({ "wiki/a.md": sha256("text") })
          })
        ),
        ArtifactStore,
        counting
      )
      expect(new Set(issues.map((issue) => issue.split(":")[0]))).toEqual(
        new Set(["file_change_without_effect"])
      )
      expect(issues).toHaveLength(10)
      expect(asked).toEqual(["observe", "observe", "hash"])
    }).pipe(Effect.provide(world({ "wiki/a.md": { text: "text", changedAtMs: NEW } })))
  )
})
