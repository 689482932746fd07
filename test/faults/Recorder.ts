import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs"
import { Schema } from "effect"

/** What a client of the binary was told, and may rely on from then on. */
export const Fact = Schema.Union(
  Schema.Struct({ told: Schema.Literal("queued"), taskId: Schema.String }),
  Schema.Struct({
    told: Schema.Literal("ran"),
    taskId: Schema.String,
    attemptId: Schema.String,
    status: Schema.String
  }),
  Schema.Struct({
    told: Schema.Literal("event"),
    id: Schema.Int,
    eventType: Schema.String,
    createdAt: Schema.String
  })
)
export type Fact = typeof Fact.Type

const FactLine = Schema.parseJson(Fact)

const answers = {
  queued: Schema.Struct({ queued: Schema.Literal(true), task_id: Schema.String }),
  ran: Schema.Struct({ status: Schema.String, task_id: Schema.String, attempt_id: Schema.String }),
  events: Schema.Struct({
    events: Schema.Array(
      Schema.Struct({ id: Schema.Int, event_type: Schema.String, created_at: Schema.String })
    )
  })
}

const lines = (stdout: string): ReadonlyArray<string> => {
  try {
    JSON.parse(stdout)
    return [stdout]
  } catch {
    return stdout.split("\n")
  }
}

const parsed = (text: string): ReadonlyArray<unknown> => {
  try {
    return [JSON.parse(text)]
  } catch {
    return []
  }
}

/** The facts in what a command printed; half a line, as a killed process leaves it, tells nothing. */
export const factsIn = (stdout: string): ReadonlyArray<Fact> =>
  lines(stdout)
    .flatMap(parsed)
    .flatMap((answer): ReadonlyArray<Fact> => {
      if (Schema.is(answers.queued)(answer)) return [{ told: "queued", taskId: answer.task_id }]
      if (Schema.is(answers.ran)(answer))
        return [{ told: "ran", taskId: answer.task_id, attemptId: answer.attempt_id, status: answer.status }]
      if (Schema.is(answers.events)(answer))
        return answer.events.map((event) => ({
          told: "event",
          id: event.id,
          eventType: event.event_type,
          createdAt: event.created_at
        }))
      return []
    })

/** Keeps facts in a file that survives the death of whoever writes it: each is synced before it counts. */
export class Recorder {
  constructor(readonly file: string) {}

  record(facts: ReadonlyArray<Fact>): void {
    if (facts.length === 0) return
    const fd = openSync(this.file, "a", 0o600)
    try {
      writeSync(fd, facts.map((fact) => `${Schema.encodeSync(FactLine)(fact)}\n`).join(""))
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }

  /** Records what a command printed and answers the facts in it. */
  heard(stdout: string): ReadonlyArray<Fact> {
    const facts = factsIn(stdout)
    this.record(facts)
    return facts
  }

  get facts(): ReadonlyArray<Fact> {
    if (!existsSync(this.file)) return []
    const whole = readFileSync(this.file, "utf8").split("\n").slice(0, -1)
    return whole.map((line) => Schema.decodeSync(FactLine)(line))
  }
}
