import { Option } from "effect"
import type { Profile } from "../domain/Profile.ts"
import { outcomeShape, type Shape } from "./OutcomeSchema.ts"

/**
 * What the answer must look like, made from the schema that decodes it. Its example names every needed field
 * and does not decode as an outcome, so that a prompt that is printed back proves nothing.
 */
export const responseContract = (result: Profile["resultSchema"], signals: ReadonlyArray<string>): string =>
  [
    "End with one JSON object and write nothing after it; the last one counts.",
    ...Option.match(Option.fromNullable(result.primaryOutput), {
      onNone: () => [],
      onSome: (name) => [`It carries the main result of this work: ${name}.`]
    }),
    ...Object.entries(shape.properties ?? {}).map(([name, field]) => fieldLine(name, field)),
    ...(signals.length === 0
      ? []
      : [`Accepted as workflow_signal: ${signals.map((one) => JSON.stringify(one)).join(", ")}.`]),
    result.allowFollowUpTasks
      ? "follow_up_tasks: at most 20, each { kind, source, payload, subject? }."
      : "follow_up_tasks stays empty: this profile may not queue any.",
    result.allowExternalMessages
      ? "external_messages wait for a bridge to send them; the runtime sends nothing."
      : "external_messages stays empty: this profile may not send any.",
    "question is for what only your operator can decide: with status blocked; default is one of choices.",
    "The summary is in your own words; text copied from this prompt is refused.",
    "Form, each <...> to be replaced:",
    JSON.stringify(example)
  ].join("\n")

const shape = outcomeShape

const isRequired = (name: string): boolean => shape.required?.includes(name) === true

const fieldLine = (name: string, field: Shape): string => {
  const about = field.description ?? field.items?.description
  return `- ${name}${isRequired(name) ? "" : "?"}: ${typeOf(field)}${about === undefined ? "" : ` (${about})`}`
}

const typeOf = (field: Shape): string => {
  if (field.enum !== undefined) return field.enum.join(" | ")
  if (field.type === "array") return `list of ${typeOf(field.items ?? {})}s`
  const inside = Object.entries(field.properties ?? {})
  if (inside.length > 0)
    return `{ ${inside.map(([name]) => (field.required?.includes(name) ? name : `${name}?`)).join(", ")} }`
  return String(field.type ?? "text")
}

const placeholder = (field: Shape): unknown => {
  if (field.type === "array") return [placeholder(field.items ?? {})]
  return field.enum === undefined ? "<text>" : `<one of ${field.enum.length}>`
}

const example = Object.fromEntries(
  Object.entries(shape.properties ?? {})
    .filter(([name, field]) => isRequired(name) || field.items?.type === "string")
    .map(([name, field]) => [name, placeholder(field)])
)
