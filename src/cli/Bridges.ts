import { Effect } from "effect"
import { decode } from "../config/Issues.ts"
import { JsonObject } from "../domain/Json.ts"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fileOption, fileUsage, readDocument, stdinArgument } from "./Input.ts"

const body = (input: Parameters<typeof readDocument>[0]) =>
  Effect.flatMap(readDocument(input), decode(JsonObject))

export const bridgeGithub = command({
  name: "bridge-github",
  group: "Work",
  summary: "queue the task of a GitHub event",
  description:
    "Reads an event (event, repository, title, number, author, url, merged, summary, operator_question) or the body of a pull_request webhook. Its content is untrusted: it cannot choose profile, adapter or priority.",
  usage: fileUsage,
  example: "agent-runtime bridge-github --file fixtures/github-pr-merged.json",
  arguments: [stdinArgument],
  options: [fileOption],
  run: (input) =>
    Effect.flatMap(body(input), (event) =>
      ask(async () => (await import("../operate/Queue.ts")).github, event)
    )
})

export const bridgeDiscord = command({
  name: "bridge-discord",
  group: "Work",
  summary: "queue the task of a Discord event",
  description:
    "Reads an event (event, channel, author, message, reply_style, operator_goal). Its content is untrusted: it cannot choose profile, adapter or priority.",
  usage: fileUsage,
  example: "agent-runtime bridge-discord --file fixtures/discord-mention.json",
  arguments: [stdinArgument],
  options: [fileOption],
  run: (input) =>
    Effect.flatMap(body(input), (event) =>
      ask(async () => (await import("../operate/Queue.ts")).discord, event)
    )
})
