import { describe, expect } from "bun:test"
import { Effect, Option, Ref, TestClock } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import type { AdapterSettings } from "../../src/config/AdapterSettings.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import { AttemptId } from "../../src/domain/Ids.ts"
import { enqueueReplay } from "../../src/intake/Replay.ts"
import { retryMatching } from "../../src/operate/Bulk.ts"
import { answer as giveAnswer } from "../../src/operate/Questions.ts"
import { retry } from "../../src/operate/Tasks.ts"
import { waiting } from "../../src/operate/Waiting.ts"
import { Store } from "../../src/store/Store.ts"
import { agentCli } from "../context/world.ts"
import { it } from "../support/effect.ts"
import { profile, settings } from "../support/settings.ts"
import { answer, attemptsOf, DOOR, detailsOf, failing, queue, ran, taskOf, typesOf, world } from "./world.ts"

/** Adapters that keep the jobs that they were given, under the name of the adapter. */
const recording = (
  kept: Ref.Ref<ReadonlyArray<{ readonly adapter: string; readonly job: Job }>>,
  said: (calls: number) => Partial<Execution>
) => {
  const acting = (adapter: string) => (job: Job) =>
    Effect.map(
      Ref.updateAndGet(kept, (jobs) => [...jobs, { adapter, job }]),
      (jobs) => said(jobs.length)
    )
  return { local: acting("local"), other: acting("other") }
}

interface Staged {
  readonly said?: (calls: number) => Partial<Execution>
  readonly settings?: Partial<Settings>
}

type Kept = Effect.Effect<ReadonlyArray<{ readonly adapter: string; readonly job: Job }>>

/** A test on a world whose adapters answer by `said` and keep their jobs. */
const staged = <E>(
  body: (jobs: Kept) => Effect.Effect<unknown, E, Effect.Effect.Context<typeof ran> | MemoryFiles>,
  given: Staged = {}
) =>
  Effect.gen(function* () {
    const kept = yield* Ref.make<ReadonlyArray<{ readonly adapter: string; readonly job: Job }>>([])
    const scene = {
      adapters: recording(kept, given.said ?? (() => answer())),
      ...(given.settings === undefined ? {} : { settings: given.settings })
    }
    yield* Effect.provide(body(Ref.get(kept)), world(scene))
  })

/** Queues a replay of an attempt of a task on an adapter. */
const replayOf = (id: Parameters<typeof taskOf>[0], attemptId: AttemptId, requestedAdapter = "local") =>
  Effect.gen(function* () {
    const task = yield* taskOf(id)
    const { kind, maxAttempts, payload, untrusted } = task
    const intent = { kind, payload, maxAttempts, requestedAdapter }
    const made = yield* enqueueReplay({ taskId: id, attemptId, untrusted, intent }, {}, DOOR.actor)
    return made.taskId
  })

const bundleFileOf = (id: Parameters<typeof taskOf>[0]) =>
  Effect.gen(function* () {
    const store = yield* Store
    const [attempt] = yield* attemptsOf(id)
    const bundleId = Option.getOrThrow(attempt!.bundleId)
    return Option.getOrThrow(yield* store.attempts.bundle(bundleId)).relativePath
  })

describe("a replay", () => {
  it.effect(
    "hands the adapter the recorded prompt and payload, with a bundle of its own of the same hash",
    () =>
      staged((jobs) =>
        Effect.gen(function* () {
          const id = yield* queue({ payload: { z: 1, a: "work" }, subject: "Look" })
          const first = yield* ran
          const again = yield* replayOf(id, first.attemptId)
          yield* ran
          const [one, two] = yield* jobs
          expect(two!.job.prompt).toBe(one!.job.prompt)
          expect(JSON.stringify(two!.job.payload)).toBe(JSON.stringify(one!.job.payload))
          expect(two!.job.taskId).toBe(again)
          const [a] = yield* attemptsOf(id)
          const [b] = yield* attemptsOf(again)
          expect(b!.bundleHash).toEqual(a!.bundleHash)
          expect(b!.bundleId).not.toEqual(a!.bundleId)
          expect(yield* detailsOf(again, "bundle_compiled")).toMatchObject([
            { replay_of: first.attemptId, same_bundle: true, changed: [], drifted: [] }
          ])
          expect((yield* taskOf(again)).status).toBe("completed")
        })
      )
  )

  it.effect("keeps its input though policy, profile and memory are others by now", () =>
    Effect.gen(function* () {
      // The same maps on both sides of the change: the settings are read when they are needed.
      const profiles = new Map([["lumen", profile({ role: "as it was" })]])
      yield* staged(
        (jobs) =>
          Effect.gen(function* () {
            const id = yield* queue()
            const first = yield* ran
            profiles.set("lumen", profile({ role: "as it is now" }))
            yield* replayOf(id, first.attemptId)
            yield* ran
            profiles.clear()
            yield* replayOf(id, first.attemptId)
            yield* ran
            const prompts = (yield* jobs).map(({ job }) => job.prompt)
            expect(prompts[0]).toContain("as it was")
            expect(new Set(prompts).size).toBe(1)
          }),
        { settings: { profiles } }
      )
    })
  )

  it.effect("on another adapter hands over the same prompt, and its event tells what is another", () =>
    staged((jobs) =>
      Effect.gen(function* () {
        const id = yield* queue()
        const first = yield* ran
        const again = yield* replayOf(id, first.attemptId, "other")
        yield* ran
        const [one, two] = yield* jobs
        expect([one!.adapter, two!.adapter]).toEqual(["local", "other"])
        expect(two!.job.prompt).toBe(one!.job.prompt)
        expect(yield* detailsOf(again, "bundle_compiled")).toMatchObject([
          { same_bundle: false, changed: ["adapter.id"] }
        ])
      })
    )
  )

  it.effect("runs on its adapter alone: there is no fallback, and one that is gone ends it", () =>
    staged(
      (jobs) =>
        Effect.gen(function* () {
          const id = yield* queue()
          const first = yield* ran
          const again = yield* replayOf(id, first.attemptId, "gone")
          yield* ran
          expect(yield* taskOf(again)).toMatchObject({ status: "permanent_failure" })
          expect(yield* jobs).toHaveLength(1)
        }),
      {
        settings: {
          adapters: new Map([
            ["local", scriptSettings("local")],
            ["gone", scriptSettings("gone", { fallbackAdapter: Option.some("local") })]
          ])
        }
      }
    )
  )

  it.effect("makes no follow-ups and sends no messages again, and tells both", () =>
    staged(
      () =>
        Effect.gen(function* () {
          const store = yield* Store
          const id = yield* queue()
          const first = yield* ran
          const again = yield* replayOf(id, first.attemptId)
          yield* Effect.orDie(
            store.tasks.cancel((yield* store.tasks.children(id, 9))[0]!.taskId, Option.none(), {
              at: (yield* taskOf(id)).createdAt,
              actor: DOOR.actor
            })
          )
          yield* ran
          expect((yield* taskOf(again)).status).toBe("completed")
          expect(yield* store.tasks.children(again, 9)).toEqual([])
          expect(yield* typesOf(again)).not.toContain("outbox_added")
          expect(yield* typesOf(id)).toContain("outbox_added")
          expect((yield* detailsOf(again, "follow_up_refused")).map(({ reason }) => reason)).toEqual([
            "a replay makes no follow-up tasks, its first run did",
            "a replay sends no messages, its first run did"
          ])
        }),
      {
        said: () =>
          answer({ follow_up_tasks: [{ kind: "more", payload: {} }], external_messages: [{ text: "hi" }] }),
        settings: {
          profiles: new Map([
            [
              "lumen",
              profile({ result_schema: { allow_follow_up_tasks: true, allow_external_messages: true } })
            ]
          ])
        }
      }
    )
  )

  it.effect("asks its operator nothing: its prompt could not be told the answer", () =>
    staged(
      () =>
        Effect.gen(function* () {
          const store = yield* Store
          const id = yield* queue()
          const first = yield* ran
          const again = yield* replayOf(id, first.attemptId)
          yield* ran
          expect((yield* taskOf(again)).status).toBe("blocked")
          expect(Option.isSome(yield* store.questions.lastOf(id))).toBe(true)
          expect(yield* store.questions.lastOf(again)).toEqual(Option.none())
        }),
      { said: () => answer({ status: "blocked", machine_status: "blocked", question: { text: "Which?" } }) }
    )
  )

  it.effect("is blocked, nothing started, when the bundle's file was changed or is gone", () =>
    staged((jobs) =>
      Effect.gen(function* () {
        const { put, remove } = yield* MemoryFiles
        const id = yield* queue()
        const first = yield* ran
        const file = yield* bundleFileOf(id)
        const changed = yield* replayOf(id, first.attemptId)
        yield* put(file, "{}\n")
        yield* ran
        const missing = yield* replayOf(id, first.attemptId)
        yield* remove(file)
        yield* ran
        for (const [again, what] of [
          [changed, "was changed"],
          [missing, "is not there"]
        ] as const) {
          const task = yield* taskOf(again)
          expect(task.status).toBe("blocked")
          expect(Option.getOrThrow(task.lastError)).toContain(`${file} below the artifact root ${what}`)
        }
        expect(yield* jobs).toHaveLength(1)
      })
    )
  )

  it.effect("of an attempt that is not on record is blocked", () =>
    staged(() =>
      Effect.gen(function* () {
        const again = yield* replayOf(yield* queue(), AttemptId.make("nobody"))
        yield* ran
        yield* ran
        expect(yield* taskOf(again)).toMatchObject({ status: "blocked" })
      })
    )
  )

  it.effect("still needs the files that its work builds on", () =>
    staged((jobs) =>
      Effect.gen(function* () {
        const { put, remove } = yield* MemoryFiles
        yield* put("plan.md", "# Plan\nwork")
        const payload = { phase: "execute", proposal_artifact: "plan.md", implementation_artifact: "made.md" }
        const id = yield* queue({ kind: "goal-execute", payload })
        const first = yield* ran
        yield* remove("plan.md")
        const again = yield* replayOf(id, first.attemptId)
        yield* ran
        expect(Option.getOrThrow((yield* taskOf(again)).lastError)).toStartWith("input_missing")
        expect(yield* jobs).toHaveLength(1)
      })
    )
  )

  it.effect("is judged by its own round: what the first run made is kept, and is no evidence", () =>
    staged(
      () =>
        Effect.gen(function* () {
          const { list } = yield* MemoryFiles
          const id = yield* queue({ payload: { output_path: "out.md" } })
          const first = yield* ran
          yield* TestClock.adjust("1 minute")
          const lazy = yield* replayOf(id, first.attemptId, "other")
          yield* ran
          expect((yield* taskOf(lazy)).status).toBe("blocked")
          expect((yield* attemptsOf(lazy))[0]!.issues.join()).toContain("out.md")
          const again = yield* replayOf(id, first.attemptId)
          yield* ran
          expect((yield* taskOf(again)).status).toBe("completed")
          expect((yield* list).filter((path) => path.startsWith("out"))).toEqual(["out.1.md", "out.md"])
        }),
      {
        settings: {
          adapters: new Map<string, AdapterSettings>([
            ["local", scriptSettings("local")],
            ["other", agentCli({ id: "other" })]
          ])
        }
      }
    )
  )

  it.effect(
    "that is retried runs the recorded bundle again, and takes no note, which no prompt could tell",
    () =>
      staged(
        (jobs) =>
          Effect.gen(function* () {
            const id = yield* queue({ maxAttempts: 1 })
            const first = yield* ran
            const again = yield* replayOf(id, first.attemptId)
            yield* ran
            expect((yield* taskOf(again)).status).toBe("blocked")
            const noted = retry.run({ id: again, note: Option.some("be careful") }, DOOR.actor)
            expect(yield* Effect.flip(noted)).toMatchObject({
              code: "move_refused",
              message: `task ${again} was not moved: it replays attempt ${first.attemptId}, whose recorded prompt has no room for a note; retry it without one, or task ${id}, which is replayed, with it`
            })
            const many = {
              filter: { status: ["blocked" as const], kind: Option.none(), source: Option.none() }
            }
            expect(
              yield* retryMatching.run({ ...many, dryRun: false, note: Option.some("all") }, DOOR.actor)
            ).toMatchObject({ matched: 1, moved: 0, refused: 1 })
            expect((yield* taskOf(again)).status).toBe("blocked")
            yield* retry.run({ id: again, note: Option.none() }, DOOR.actor)
            yield* ran
            expect((yield* taskOf(again)).status).toBe("completed")
            expect(new Set((yield* jobs).map(({ job }) => job.prompt)).size).toBe(1)
            const hashes = [...(yield* attemptsOf(id)), ...(yield* attemptsOf(again))].map(
              (one) => one.bundleHash
            )
            expect(hashes).toHaveLength(3)
            expect(new Set(hashes.map(Option.getOrThrow)).size).toBe(1)
          }),
        { said: (calls) => (calls === 2 ? failing : answer()) }
      )
  )

  it.effect("asks nothing, and says so wherever its question is looked for", () =>
    staged(
      () =>
        Effect.gen(function* () {
          const id = yield* queue()
          const first = yield* ran
          const again = yield* replayOf(id, first.attemptId)
          yield* ran
          const why = `its task replays attempt ${first.attemptId}, whose recorded prompt could be told no answer`
          const instead = `agent-runtime task-retry ${id} --note TEXT tells it to the task that is replayed`
          expect((yield* attemptsOf(again)).map(({ issues }) => issues)).toEqual([
            [`question_not_asked: ${why}; ${instead}`]
          ])
          expect((yield* attemptsOf(id)).map(({ issues }) => issues)).toEqual([[]])
          const store = yield* Store
          const open = Option.getOrThrow(yield* store.questions.list({ limit: 9, after: Option.none() }))
          expect(open.questions.map(({ taskId }) => taskId)).toEqual([id])
          expect(Option.getOrThrow(yield* waiting(yield* taskOf(again)))).toMatchObject({
            reason: "operator",
            detail: expect.stringContaining(`; its question was not asked, as ${why}: ${instead}`)
          })
          const answered = giveAnswer.run(
            { id: again, choice: Option.none(), text: Option.some("red") },
            DOOR.actor
          )
          expect(yield* Effect.flip(answered)).toMatchObject({
            code: "no_open_question",
            message: `task ${again} waits for no answer, it is blocked: its question was not asked, as ${why}`,
            hint: instead
          })
        }),
      {
        said: () =>
          answer({
            status: "blocked",
            machine_status: "blocked",
            question: { text: "Which colour?", choices: ["red"] }
          })
      }
    )
  )

  it.effect("of untrusted input stays where untrusted input may run", () =>
    staged(
      (jobs) =>
        Effect.gen(function* () {
          const id = yield* queue({}, { ...DOOR, untrusted: true })
          const first = yield* ran
          const again = yield* replayOf(id, first.attemptId, "other")
          yield* ran
          expect(yield* taskOf(again)).toMatchObject({ status: "blocked", untrusted: true })
          expect(yield* jobs).toHaveLength(1)
        }),
      { settings: { dispatch: { ...settings().dispatch, untrustedAdapters: Option.some(["local"]) } } }
    )
  )

  it.effect("of a replay is one too", () =>
    staged(() =>
      Effect.gen(function* () {
        const id = yield* queue()
        const first = yield* ran
        const second = yield* replayOf(id, first.attemptId)
        const third = yield* replayOf(second, (yield* ran).attemptId)
        yield* ran
        const hashes = [...(yield* attemptsOf(id)), ...(yield* attemptsOf(third))].map(
          (one) => one.bundleHash
        )
        expect(hashes[1]).toEqual(hashes[0]!)
      })
    )
  )
})
