import { DateTime, Deferred, Effect, Option } from "effect"
import type { Scripted } from "../../../layers/adapter/ScriptedAdapters.ts"
import type { Execution } from "../../../src/adapter/AdapterRegistry.ts"
import type { Intent } from "../../../src/domain/Task.ts"
import { openNow } from "../../../src/intake/Workflow.ts"
import { cancelMatching } from "../../../src/operate/Bulk.ts"
import { pause, resume } from "../../../src/operate/Pause.ts"
import { answer as answerQuestion } from "../../../src/operate/Questions.ts"
import { stop } from "../../../src/operate/Stop.ts"
import { cancel, retry } from "../../../src/operate/Tasks.ts"
import { answer, DOOR, failing, queue } from "../../dispatch/world.ts"
import { save } from "../../intake/schedules.ts"
import { between, pick } from "../Random.ts"
import type { Fact } from "../Recorder.ts"
import type { Sighting } from "../Witness.ts"

/** What a life leaves behind for the checker. */
export interface Record {
  readonly facts: Array<Fact>
  readonly seen: Array<Sighting>
  /** Tasks whose adapter works in the process that is alive. */
  readonly working: Map<string, string>
}

export const newRecord = (): Record => ({ facts: [], seen: [], working: new Map() })

const question = { text: "Which colour?", choices: ["red", "blue"], default: "red" }

const endings = (random: () => number, expires: string): Partial<Execution> => {
  const chance = random()
  if (chance < 0.5) return answer()
  if (chance < 0.65) return failing
  if (chance < 0.75) return answer({ status: "retryable_failure", retry_after_seconds: 5 })
  if (chance < 0.85)
    return answer({
      status: "blocked",
      machine_status: "blocked",
      question: { ...question, expires_at: expires }
    })
  if (chance < 0.95)
    return answer({
      follow_up_tasks: [{ kind: "note", payload: {} }],
      external_messages: [{ type: "discord", text: "done" }]
    })
  return { exitStatus: "timeout", retryClass: "retryable", reason: Option.some("it took too long") }
}

/** An adapter that works for a while, or until it is told to stop, and tells whether somebody was there before it. */
export const worker =
  (record: Record, random: () => number): Scripted =>
  (job) =>
    Effect.gen(function* () {
      const { attemptId, taskId } = job
      const before = record.working.get(taskId)
      record.seen.push({ what: before === undefined ? "start" : "overlap", taskId, attemptId })
      record.working.set(taskId, attemptId)
      const until = yield* Effect.map(Effect.clock, (clock) => clock.unsafeCurrentTimeMillis() + 60_000)
      const end = endings(random, new Date(until).toISOString())
      const work = Effect.as(Effect.sleep(between(random, 0, 20_000)), end)
      const stopped = Effect.as(Deferred.await(job.stop), {
        exitStatus: "canceled" as const,
        reason: Option.some("stopped")
      })
      const said = yield* Effect.raceFirst(work, stopped)
      record.working.delete(taskId)
      record.seen.push({ what: "end", taskId, attemptId })
      return said
    })

const intent = (random: () => number, at: number): Partial<Intent> => ({
  priority: between(random, 0, 9),
  ...(random() < 0.3 ? { dedupeKey: pick(random, ["a", "b"]) } : {}),
  ...(random() < 0.3 ? { availableAt: DateTime.unsafeMake(at + between(random, 0, 60_000)) } : {}),
  ...(random() < 0.2 ? { maxAttempts: 1 } : {})
})

/** One thing that an operator, a bridge or a sensor asks; a refusal is an answer, too. */
const act = (record: Record, random: () => number) =>
  Effect.gen(function* () {
    const at = yield* Effect.map(Effect.clock, (clock) => clock.unsafeCurrentTimeMillis())
    const told = record.facts.flatMap((fact) => (fact.told === "queued" ? [fact.taskId] : []))
    const chance = random()
    if (told.length === 0 || chance < 0.45) {
      const taskId = yield* queue(intent(random, at))
      record.facts.push({ told: "queued", taskId })
      return
    }
    const id = pick(random, told)
    const reason = Option.none<string>()
    const { actor } = DOOR
    if (chance < 0.55) yield* cancel.run({ id, reason, force: random() < 0.5 }, actor)
    else if (chance < 0.65) yield* retry.run({ id, note: Option.none() }, actor)
    else if (chance < 0.75)
      yield* answerQuestion.run({ id, choice: Option.some("blue"), text: Option.none() }, actor)
    else if (chance < 0.8) yield* pause.run({ reason }, actor)
    else if (chance < 0.85) yield* resume.run({}, actor)
    else if (chance < 0.88) yield* stop.run({ reason }, actor)
    else if (chance < 0.92)
      yield* cancelMatching.run(
        {
          filter: { status: ["pending"], kind: Option.none(), source: Option.none() },
          dryRun: false,
          reason,
          force: false
        },
        actor
      )
    else if (chance < 0.96) yield* save({ name: "s", interval_seconds: between(random, 5, 60) })
    else
      yield* openNow(
        {
          template: "wallet-onboarding",
          instanceKey: pick(random, ["k", "l"]),
          state: Option.none(),
          context: {}
        },
        actor
      )
  }).pipe(Effect.ignore)

/** Asks so many things, with time between them. */
export const client = (record: Record, random: () => number, asks: number) =>
  Effect.repeatN(
    Effect.zipRight(
      Effect.suspend(() => Effect.sleep(between(random, 0, 10_000))),
      act(record, random)
    ),
    asks - 1
  )
