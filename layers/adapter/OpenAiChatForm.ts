import { Option } from "effect"
import { outcomeSchema, strictOutcomeSchema } from "../../src/context/OutcomeSchema.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import type { Refusal } from "./ModelServerRefusal.ts"

/** What is asked of a server beyond the answer itself. Not every server that speaks the protocol knows all of it. */
export interface Form {
  readonly responseFormat: "json_schema" | "json_object" | "none"
  readonly includeUsage: boolean
}

/** All that is wanted: tried first. */
export const wanted: Form = { responseFormat: "json_schema", includeUsage: true }

/** The form that is left after a server refused one; none when the refusal is about something else. */
export const conceded = (form: Form, { body, status }: Refusal): Option.Option<Form> => {
  if (status !== 400 && status !== 422) return Option.none()
  if (form.responseFormat !== "none" && /response[_ ]?format/i.test(body))
    return Option.some({
      ...form,
      responseFormat: form.responseFormat === "json_schema" ? "json_object" : "none"
    })
  return form.includeUsage && /stream_options|include_usage/i.test(body)
    ? Option.some({ ...form, includeUsage: false })
    : Option.none()
}

/** The request's body: one message, the prompt being the bundle's, byte for byte. */
export const bodyOf = (prompt: string, model: string, form: Form, strict: boolean): JsonObject => ({
  model,
  messages: [{ role: "user", content: prompt }],
  stream: true,
  ...(form.includeUsage ? { stream_options: { include_usage: true } } : {}),
  ...formatOf(form, strict)
})

const formatOf = ({ responseFormat }: Form, strict: boolean): JsonObject => {
  switch (responseFormat) {
    case "none":
      return {}
    case "json_object":
      return { response_format: { type: "json_object" } }
    case "json_schema":
      return {
        response_format: {
          type: "json_schema",
          json_schema: { name: "outcome", strict, schema: strict ? strictOutcomeSchema : outcomeSchema }
        }
      }
  }
}
