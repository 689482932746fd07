import { Effect, Schema } from "effect"
import { decode, type Invalid } from "../config/Issues.ts"
import { isBlank } from "../domain/Blank.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Intent } from "../domain/Task.ts"
import { cut, ONLY_THE_NAMED, PerhapsText, perhaps, Word } from "./Words.ts"

/** The event that operators' scripts hand over (SPEC.md section 12). Every other key is left out. */
const Event = Schema.Struct({
  event: Word,
  repository: Word,
  title: PerhapsText,
  number: perhaps(Schema.Int),
  author: PerhapsText,
  url: PerhapsText,
  merged: perhaps(Schema.Boolean),
  summary: PerhapsText,
  operator_question: PerhapsText
}).annotations({ identifier: "GitHub event", parseOptions: ONLY_THE_NAMED })

/**
 * What is read of a webhook body of GitHub for `pull_request`
 * (https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request).
 */
const Webhook = Schema.Struct({
  action: Word,
  repository: Schema.Struct({ full_name: Word }),
  pull_request: Schema.Struct({
    title: Word,
    number: Schema.Int,
    html_url: PerhapsText,
    merged: perhaps(Schema.Boolean),
    body: PerhapsText,
    user: perhaps(Schema.Struct({ login: Word }))
  })
}).annotations({ identifier: "GitHub webhook body", parseOptions: ONLY_THE_NAMED })

type Told = typeof Event.Type

const ofWebhook = ({ action, pull_request, repository }: typeof Webhook.Type): Told => ({
  event: `pull_request.${action}`,
  repository: repository.full_name,
  title: pull_request.title,
  number: pull_request.number,
  ...(pull_request.user ? { author: pull_request.user.login } : {}),
  ...(pull_request.html_url ? { url: pull_request.html_url } : {}),
  merged: pull_request.merged === true,
  ...(pull_request.body ? { summary: pull_request.body } : {})
})

const isWebhook = (body: JsonObject): boolean =>
  "pull_request" in body || ("action" in body && !("event" in body))

const subject = (told: Told): string => {
  const number = typeof told.number === "number" ? `#${told.number}` : ""
  const title = told.title?.trim() ?? ""
  return cut(`${told.repository}${number}: ${isBlank(title) ? told.event : title}`)
}

/**
 * The task of a GitHub event or webhook body. Kind, source and priority are fixed here; nothing in the body
 * can set them, and only the named fields of it are carried.
 */
export const toIntent = (body: JsonObject): Effect.Effect<Intent, Invalid> =>
  Effect.gen(function* () {
    const told = isWebhook(body) ? ofWebhook(yield* decode(Webhook)(body)) : yield* decode(Event)(body)
    return {
      kind: "github-story",
      source: "github-bridge",
      priority: 7,
      subject: subject(told),
      payload: { ...told }
    }
  })
