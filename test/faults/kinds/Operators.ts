import { setTimeout as pause } from "node:timers/promises"
import { Schema } from "effect"
import type { Told } from "../../support/binary.ts"
import type { Fault, Round, Rounded } from "../Fault.ts"
import { HttpClients } from "../HttpClients.ts"
import { between } from "../Random.ts"
import { rows } from "../Rows.ts"
import { Scene, statusOf } from "../Scene.ts"

const QUESTION = { text: "Which colour?", choices: ["red", "blue"] }
const asks = JSON.stringify({
  status: "blocked",
  machine_status: "blocked",
  operator_summary: "I cannot decide.",
  question: QUESTION
})

/** Asks until its prompt holds an answer. */
const WORK = `if grep -q "## Questions that were answered" "$AGENT_RUNTIME_AUDIT_DIR/assembled-context.txt"
then echo painted; else echo '${asks}'; fi`

const CLI_OPERATORS = 4
const HTTP_OPERATORS = 4

const Answered = Schema.Struct({ ok: Schema.Literal(true), answer: Schema.String })
const Queued = Schema.parseJson(Schema.Struct({ task_id: Schema.String }))

interface QuestionRow {
  readonly answer: string | null
  readonly closed_at: string | null
}

const questionsOf = (scene: Scene, taskId: string): ReadonlyArray<QuestionRow> =>
  rows<QuestionRow>(scene.database, "SELECT answer, closed_at FROM questions WHERE task_id = ?", taskId)

/** The answer that a command had accepted; undefined where it was refused, or died. */
const accepted = ({ code, stdout }: Told): string | undefined => {
  if (code !== 0) return undefined
  const told: unknown = JSON.parse(stdout)
  return Schema.is(Answered)(told) ? told.answer : undefined
}

/** One question, many operators who answer it at once, some of whom die: one answer holds, and its round is run. */
const race = async ({ keepAs, number, random }: Round): Promise<Rounded> => {
  const scene = await Scene.make(WORK, { config: { maxAttempts: 1_000 } })
  const clients = new HttpClients(scene, random)
  const dies = number % 2 === 1
  const isSample = number === 0
  let violations: ReadonlyArray<string> = []
  const server = scene.start(["serve", "--port", "0"])
  try {
    const url = (await server.says(/Listening on (http:\/\/[^"\s]+)\//))?.[1] ?? ""
    const { task_id: id } = Schema.decodeSync(Queued)((await scene.intake("paint it")).stdout)
    const blocked = statusOf(await scene.runOnce())
    const deaths: Array<Promise<unknown>> = []
    const byCommand = Array.from({ length: isSample ? 2 : CLI_OPERATORS }, async (_, operator) => {
      const command = scene.start(["task-answer", id, "--choice", operator % 2 === 0 ? "red" : "blue"])
      if (dies) deaths.push(pause(between(random, 20, 250)).then(() => command.kill("SIGKILL")))
      return accepted(await command.ended)
    })
    await pause(between(random, 0, 150))
    const byHttp = Array.from({ length: dies ? 0 : isSample ? 2 : HTTP_OPERATORS }, async (_, operator) => {
      const told = await clients.ask(url, `/api/tasks/${id}/answer`, { text: `colour ${operator}` })
      if (told !== undefined && ![200, 409].includes(told.status))
        clients.wrong.push(`an answer was told ${told.status}: ${JSON.stringify(told.body)}`)
      return told?.status === 200 && Schema.is(Answered)(told.body) ? told.body.answer : undefined
    })
    const winners = (await Promise.all([...byCommand, ...byHttp])).filter((one) => one !== undefined)
    await Promise.all(deaths)
    const [question, ...more] = questionsOf(scene, id)
    // One who died may have answered without having told so.
    const answer = question?.answer ?? null
    if (answer === null) await scene.run(["task-answer", id, "--choice", "red"])
    violations = [
      ...(blocked === "blocked" ? [] : [`the task that asks is ${blocked}`]),
      ...(winners.length <= 1 ? [] : [`${winners.length} answers were accepted: ${winners.join(", ")}`]),
      ...(dies || winners.length === 1 ? [] : ["no answer was accepted"]),
      ...(winners.every((one) => one === answer) ? [] : [`${winners[0]} was accepted and ${answer} is kept`]),
      ...(more.length === 0 ? [] : [`one question was recorded ${more.length + 1} times`]),
      ...clients.wrong,
      ...(await scene.rest()),
      ...((await scene.counts()).completed === 1 ? [] : ["the answered task was not completed"])
    ]
    await server.end("SIGTERM")
    violations = [...new Set([...violations, ...scene.check()])]
    return { strikes: byCommand.length + byHttp.length, violations }
  } finally {
    await server.end("SIGKILL")
    await scene.end(violations.length > 0 ? keepAs : undefined)
  }
}

export const answeredTwice: Fault = {
  name: "operators who answer one question at once",
  needs: [],
  rounds: 24,
  sample: [0],
  found: "",
  round: race
}
