import { Effect, Schema } from "effect"
import { decode, type Invalid } from "../config/Issues.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Intent } from "../domain/Task.ts"
import { cut, ONLY_THE_NAMED, PerhapsText, Word } from "./Words.ts"

/** The event that operators' scripts hand over (SPEC.md section 12). Every other key is left out. */
const Event = Schema.Struct({
  event: Word,
  channel: Word,
  message: Word,
  author: PerhapsText,
  reply_style: PerhapsText,
  operator_goal: PerhapsText
}).annotations({ identifier: "Discord event", parseOptions: ONLY_THE_NAMED })

/** The task of a Discord event; see Github.toIntent on what a body can not do. */
export const toIntent = (body: JsonObject): Effect.Effect<Intent, Invalid> =>
  Effect.map(decode(Event)(body), (told) => ({
    kind: "discord-reply",
    source: "discord-bridge",
    priority: 6,
    subject: cut(`${told.author ?? "someone"} in ${told.channel}: ${told.message}`),
    payload: { ...told }
  }))
