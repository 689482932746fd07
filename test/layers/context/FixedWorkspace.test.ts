import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { type FixedFile, layer } from "../../../layers/context/FixedWorkspace.ts"
import { Workspace } from "../../../src/context/Workspace.ts"
import { it } from "../../support/effect.ts"

const snapshot = {
  repository: true,
  root: Option.some("/w"),
  gitSha: Option.some("abc"),
  dirty: Option.some(true)
}

it.effect("a fixed workspace answers what it was given and nothing else", () => {
  const files: Record<string, FixedFile> = { "/w": {}, "/w/a": { text: "hello", changedAtMs: 5 } }
  return Effect.gen(function* () {
    const workspace = yield* Workspace
    expect(yield* workspace.snapshot("/w")).toEqual(snapshot)
    expect((yield* workspace.snapshot("/other")).repository).toBe(false)
    expect(yield* workspace.observe("/w/a")).toEqual(
      Option.some({ kind: "file", size: 5, changedAtMs: 5, realPath: "/w/a" })
    )
    expect(Option.getOrThrow(yield* workspace.observe("/w")).kind).toBe("folder")
    expect(yield* workspace.read("/w/a", 2)).toEqual(Option.some("he"))
    expect(yield* workspace.scan("/w/a", (bytes) => bytes.length === 5)).toEqual(Option.some(true))
    expect(yield* workspace.scan("/w/a", () => false)).toEqual(Option.some(false))
    expect(yield* workspace.scan("/w", () => true)).toEqual(Option.none())
    expect(yield* workspace.hash("/w")).toEqual(Option.none())
    expect(yield* workspace.observe("/w/b")).toEqual(Option.none())
    files["/w/b"] = { text: "new" }
    expect(yield* workspace.read("/w/b", 9)).toEqual(Option.some("new"))
  }).pipe(Effect.provide(layer({ snapshots: { "/w": snapshot }, files })))
})
