import type { RunEvent, Story } from "../Wire.ts"
import { actorWords, quoted } from "../Words.ts"
import { barsOf } from "./Story.ts"

const isEnd = ({ event_type }: RunEvent): boolean => event_type === "task_finished"

/** With what the present round goes on, where it is one that an answer began; undefined once it has ended. */
export const answeredWords = ({ events }: Pick<Story, "events">): string | undefined => {
  const round = events.slice(events.findLastIndex(isEnd) + 1)
  const answered = round.findLast(({ event_type }) => event_type === "task_retried")
  const answer = answered?.detail.answer
  return answered === undefined || typeof answer !== "string" || answer === ""
    ? undefined
    : `${actorWords(answered.actor)} answered ${quoted(answer)}.`
}

/** How long a task was worked on: its attempts together, without what it waited between them. */
export const workedMs = ({ attempts }: Pick<Story, "attempts">, now: number): number =>
  barsOf(attempts, now).reduce((sum, { ms }) => sum + ms, 0)
