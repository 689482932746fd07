import { Effect } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { documentOptions, documentUsage, readDocument, stdinArgument } from "./Input.ts"

export const intake = command({
  name: "intake",
  group: "Work",
  summary: "queue a task",
  description:
    "Queues the task of an intent: kind, source and payload, and what else it names. While an unfinished task has its dedupe_key that one is answered and `queued` is false.",
  usage: documentUsage,
  example: `agent-runtime intake --json '{"kind":"note","source":"operator","payload":{"text":"hello"}}'`,
  arguments: [stdinArgument],
  options: documentOptions,
  run: (input) =>
    Effect.flatMap(readDocument(input), (document) =>
      ask(async () => (await import("../operate/Queue.ts")).intake, document)
    )
})
