import { Effect, Schema } from "effect"
import { decode, Invalid } from "../config/Issues.ts"
import { quoted } from "../domain/Abridged.ts"
import { isBlank } from "../domain/Blank.ts"
import { TaskId } from "../domain/Ids.ts"
import { ConfiguredId, type Intent, MaxAttempts, Priority, text } from "../domain/Task.ts"
import { wireStruct } from "../domain/Wire.ts"

const maybe = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { nullable: true })

const SkillRef = text(200, "")

/** Characters of a message: no fewer than fit into the body that brings it, which is the limit that is told. */
const MOST_MESSAGE = 64 * 1024

/** What an operator writes on the page (SPEC.md section 15). */
export const OperatorMessage = wireStruct({
  message: text(MOST_MESSAGE, ""),
  subject: maybe(text(1_000, "")),
  description: maybe(text(100_000, "")),
  priority: maybe(Priority),
  parentId: maybe(TaskId),
  skillRefs: maybe(Schema.Array(SkillRef).pipe(Schema.maxItems(100))),
  requestedProfile: maybe(ConfiguredId),
  requestedAdapter: maybe(ConfiguredId),
  maxAttempts: maybe(MaxAttempts)
})
export type OperatorMessage = typeof OperatorMessage.Type

/** The kind and the source of the tasks that operators write. */
export const OPERATOR_KIND = "operator"
export const OPERATOR_SOURCE = "operator-ui"

const decodeFields = decode(OperatorMessage)

/** Reads a message from outside; every problem at once, by its wire name. */
export const readMessage = (input: unknown): Effect.Effect<OperatorMessage, Invalid> =>
  Effect.suspend(() => decodeFields(input))

/** A word that begins with a slash and is no path: `/review`, `/release-notes`. */
const REFERENCE = /(?<![^\s(["'])\/([A-Za-z][\w.-]{0,199}?)(?=[.,;:!?)\]"']*(?:\s|$))/g

/** Characters of a subject that is made from a message. */
const SUBJECT = 80

/** The skills that a message refers to, those that are named beside it first; none twice. */
export const skillsOf = ({ message, skillRefs = [] }: OperatorMessage): ReadonlyArray<string> => [
  ...new Set([...skillRefs, ...[...message.matchAll(REFERENCE)].map((found) => found[1] ?? "")])
]

const firstLine = (message: string): string => {
  const line = message.split(/\r\n|\r|\n/).find((one) => !isBlank(one)) ?? ""
  return Array.from(line.trim()).slice(0, SUBJECT).join("")
}

/** The intent of a message: its payload is the message, its skills, and the task that it answers. */
export const toIntent = (given: OperatorMessage): Intent => {
  const { description, maxAttempts, message, parentId, priority, requestedAdapter, requestedProfile } = given
  return {
    kind: OPERATOR_KIND,
    source: OPERATOR_SOURCE,
    subject: given.subject ?? firstLine(message),
    payload: { message, skill_refs: skillsOf(given), parent_id: parentId ?? null },
    ...(description === undefined ? {} : { description }),
    ...(priority === undefined ? {} : { priority }),
    ...(requestedProfile === undefined ? {} : { requestedProfile }),
    ...(requestedAdapter === undefined ? {} : { requestedAdapter }),
    ...(maxAttempts === undefined ? {} : { maxAttempts })
  }
}

/** The parent that a message names and that is not there. */
export const unknownParent = (id: string): Invalid =>
  new Invalid({
    problems: [
      {
        kind: "unfit",
        path: "parent_id",
        found: quoted(id),
        expected: "the id of a task",
        remedy: "leave it out, or name a task that is there"
      }
    ]
  })
