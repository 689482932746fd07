import { describe, expect, test } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import type { AdapterSettings } from "../../src/config/AdapterSettings.ts"
import { assemble, persist } from "../../src/context/Assemble.ts"
import { modelOf, modelOfReplay } from "../../src/context/Model.ts"
import { recordedProfile, recordedWork, replayBundle } from "../../src/context/ReplayBundle.ts"
import { BundleId } from "../../src/domain/Ids.ts"
import { Profile } from "../../src/domain/Profile.ts"
import { it } from "../support/effect.ts"
import { agentCli, at, frozen, input, ollama, profile, script, task, world } from "./world.ts"

const OTHER_ID = BundleId.make("019a0000-0000-7000-8000-0000000000b2")

const GOAL = task({
  kind: "goal-execute",
  payload: { phase: "execute", proposal_artifact: "plan.md", implementation_artifact: "made.md" }
})

/** A bundle that was made, and the same made again by a replay on an adapter, after something happened. */
const again = <E, R>(adapter: AdapterSettings, between: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const { put } = yield* MemoryFiles
    yield* put("plan.md", "# Plan\nwork")
    const first = yield* Effect.tap(assemble(input({ task: GOAL })), persist)
    yield* between
    const replayed = replayBundle({
      recorded: first.bundle,
      task: GOAL,
      adapter,
      model: modelOfReplay(adapter, first.bundle),
      bundleId: OTHER_ID,
      at: at("2026-05-01T00:00:00.000Z")
    })
    return { first, replay: yield* Effect.tap(replayed, persist) }
  })

describe("a bundle that is run again", () => {
  it.effect("is the same but for its id: file, hash, prompt and what is handed over", () =>
    Effect.gen(function* () {
      const { first, replay } = yield* again(script(), Effect.void)
      const store = yield* ArtifactStore
      const text = (path: string) => Effect.map(store.read(path, 1_000_000), Option.getOrThrow)
      expect(replay.bundleHash).toBe(first.bundleHash)
      expect(replay.promptText).toBe(first.promptText)
      expect(replay.relativePath).toBe(`bundles/2026-05-01/${OTHER_ID}.json`)
      expect(yield* text(replay.promptRelativePath)).toBe(yield* text(first.promptRelativePath))
      expect((yield* text(replay.relativePath)).replace(OTHER_ID, first.bundle.bundleId)).toBe(
        yield* text(first.relativePath)
      )
      expect(replay.deviation).toEqual({ changed: [], drifted: [] })
      expect(replay.replayGrade).toBe(first.replayGrade)
    }).pipe(Effect.provide(world()))
  )

  it.effect("on another adapter differs in its adapter part alone", () =>
    Effect.gen(function* () {
      const { first, replay } = yield* again(ollama({ id: "small" }), Effect.void)
      expect(replay.bundleHash).not.toBe(first.bundleHash)
      expect({ ...replay.bundle, adapter: 0, bundleId: 0 }).toEqual({
        ...first.bundle,
        adapter: 0,
        bundleId: 0
      })
      expect(replay.deviation.changed).toEqual(["adapter.id", "adapter.mode", "adapter.model"])
      expect(replay.promptText).toBe(first.promptText)
    }).pipe(Effect.provide(world()))
  )

  it.effect("on its adapter as it is configured now tells what is another than recorded", () =>
    Effect.gen(function* () {
      const { first, replay } = yield* again(script({ timeoutMs: 5_000 }), Effect.void)
      expect(replay.bundleHash).not.toBe(first.bundleHash)
      expect(replay.deviation.changed).toEqual(["adapter.timeout_ms"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("tells an input that drifted, is best effort then, and takes products for what they are", () =>
    Effect.gen(function* () {
      const { put } = yield* MemoryFiles
      const happened = Effect.zipRight(put("plan.md", "# Plan\nother work"), put("made.md", "# Executed"))
      const { first, replay } = yield* again(script(), happened)
      expect(first.replayGrade).toBe("inputs_frozen")
      expect(replay.deviation.drifted).toEqual(["artifacts[proposal plan.md].sha256"])
      expect(replay.replayGrade).toBe("best_effort")
      expect(replay.bundleHash).toBe(first.bundleHash)
      // What the round is judged against is what lies there now.
      const made = replay.known.find(({ path }) => path === "made.md")
      expect(Option.isSome(Option.fromNullable(made).pipe(Option.flatMap((one) => one.sha256)))).toBe(true)
    }).pipe(Effect.provide(world()))
  )
})

describe("the model of a replay", () => {
  const recorded = (adapter: AdapterSettings, model: Option.Option<string>) =>
    Effect.map(frozen({ adapter, model }), ({ bundle }) => bundle)

  it.effect("is the recorded one, whatever its adapter's has become", () =>
    Effect.gen(function* () {
      const bundle = yield* recorded(ollama(), Option.some("asked-for"))
      expect(modelOfReplay(ollama({ model: "newer" }), bundle)).toEqual(Option.some("asked-for"))
      const chosen = yield* recorded(agentCli(), Option.none())
      expect(modelOfReplay(agentCli({ model: Option.some("newer") }), chosen)).toEqual(Option.none())
    })
  )

  it.effect("on another adapter is that one's own", () =>
    Effect.gen(function* () {
      const bundle = yield* recorded(ollama(), Option.some("asked-for"))
      expect(modelOfReplay(ollama({ id: "b", model: "its own" }), bundle)).toEqual(Option.some("its own"))
      expect(modelOfReplay(script({ id: "c" }), bundle)).toEqual(Option.none())
    })
  )

  test("elsewhere is what the task requests, else the adapter's; a script has none", () => {
    expect(modelOf(ollama(), Option.some("x"))).toEqual(Option.some("x"))
    expect(modelOf(ollama())).toEqual(Option.some("small"))
    expect(modelOf(script(), Option.some("x"))).toEqual(Option.none())
  })
})

describe("the profile of a replay", () => {
  const encoded = (given: Record<string, unknown>) => ({
    profile: { ...Schema.encodeSync(Profile)(profile(given)) }
  })

  test("is the recorded one", () => {
    const given = { role: "as it was", tool_policy: { allow_a: true, allow_b: false } }
    const now = profile({ role: "as it is", tool_policy: { allow_a: true, allow_b: true } })
    expect(recordedProfile(encoded(given), Option.some(now))).toEqual(Option.some(profile(given)))
    expect(recordedProfile(encoded(given), Option.none())).toEqual(Option.some(profile(given)))
  })

  test("may do nothing that was forbidden since", () => {
    const given = {
      tool_policy: { allow_repo_changes: true },
      integration_policies: { github: "supervised", mail: "supervised" }
    }
    const now = profile({
      tool_policy: { allow_repo_changes: false },
      integration_policies: { github: "none", mail: "bridge-only" }
    })
    expect(Option.getOrThrow(recordedProfile(encoded(given), Option.some(now)))).toMatchObject({
      toolPolicy: { allow_repo_changes: false },
      integrationPolicies: { github: "none", mail: "supervised" }
    })
  })

  test("that is none of this version's is none", () =>
    expect(recordedProfile({ profile: { soul: 1 } }, Option.none())).toEqual(Option.none()))
})

describe("the work that a bundle records", () => {
  it.effect("is what its task was, and none where there is no task in it", () =>
    Effect.gen(function* () {
      const { bundle } = yield* frozen({ task: task({ untrusted: true }) })
      expect(recordedWork(bundle)).toEqual(
        Option.some({
          kind: "note",
          subject: Option.some("Look at the pump"),
          description: Option.none(),
          payload: { message: "The pump is loud." },
          untrusted: true
        })
      )
      expect(recordedWork({ task: {} })).toEqual(Option.none())
    })
  )
})
