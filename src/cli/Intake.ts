import { Effect } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, table, text, toned } from "./Doc.ts"
import { documentOptions, documentUsage, readDocument, stdinArgument } from "./Input.ts"
import { ticking } from "./Progress.ts"

const definition = {
  name: "intake",
  group: "Work",
  summary: "queue a task",
  description:
    "Queues the task of an intent: kind, source and payload, and what else it names. While an unfinished task has its dedupe_key that one is answered and `queued` is false.\nWith --dry-run it says instead which profile and adapter would run it and why, what it would wait for and what the prompt would be.",
  usage: documentUsage,
  example: `agent-runtime intake --json '{"kind":"note","source":"operator","payload":{"text":"hello"}}'`,
  arguments: [stdinArgument],
  options: [
    ...documentOptions,
    { name: "dry-run", kind: "flag", description: "Queue nothing; say what would become of it." }
  ]
} as const

export const intake = command({
  ...definition,
  run: (input) =>
    Effect.flatMap(readDocument(input), (document) =>
      ask(async () => (await import("../operate/Queue.ts")).intake, document)
    )
})

/** `intake --dry-run`, which looks at adapters and workspaces as well. */
export const intakeDryRun = command({
  ...definition,
  run: (input) =>
    Effect.flatMap(readDocument(input), (document) =>
      ticking(
        "asking the adapters",
        ask(async () => (await import("../operate/DryRun.ts")).rehearse, document)
      )
    ),
  view: (found) => [
    heading("Nothing was queued; queued now it would go like this"),
    fields([
      ["profile", found.profile],
      ["adapter", found.adapter === null ? toned("none", "bad") : `${found.adapter}: ${found.because}`],
      ["model", found.model],
      ["waiting", found.waiting === null ? null : `${found.waiting.reason}: ${found.waiting.detail}`],
      ["until", found.waiting?.until ?? null],
      ["budgets", found.budget.map(({ id }) => id).join(", ")],
      ["dedupe key held by", found.held_by]
    ]),
    ...(found.problems.length === 0 ? [] : [heading("It would not start"), text(...found.problems)]),
    heading("Fallbacks"),
    table(
      ["adapter", "is", "because"],
      found.fallbacks.map((one) => [
        one.adapter,
        one.ok ? toned("ok", "good") : toned("not ok", "bad"),
        one.reason
      ])
    ),
    ...(found.prompt === null ? [] : [heading("Prompt"), text(found.prompt)])
  ]
})
