import { Effect, type Option, Stream } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { table } from "./Doc.ts"
import { emit } from "./Output.ts"

const followed = (since: Option.Option<number>) =>
  Effect.gen(function* () {
    const history = yield* Effect.promise(() => import("../operate/History.ts"))
    yield* Stream.runForEach(history.followed(since), emit)
    return undefined
  })

export const events = command({
  name: "events",
  group: "Look",
  summary: "the history",
  description:
    "Without --since the newest events; with it those after that id (0: from the start), oldest first. --follow prints one object a line, as they happen, until it is interrupted.",
  example: "agent-runtime events --since 0 --limit 100",
  arguments: [],
  options: [
    { name: "since", kind: "integer", min: 0, value: "ID", description: "Only events after this id." },
    {
      name: "limit",
      kind: "integer",
      min: 1,
      max: 10_000,
      default: 1_000,
      description: "How many at most."
    },
    { name: "follow", kind: "flag", description: "Go on with what happens." }
  ],
  run: (input) =>
    input.follow
      ? followed(input.since)
      : ask(async () => (await import("../operate/History.ts")).events, input),
  view: (found) => [
    table(
      ["id", "event", "task", "by", "at"],
      (found?.events ?? []).map((one) => [
        one.id,
        one.event_type,
        one.task_id,
        one.actor.name,
        one.created_at
      ]),
      "nothing has happened yet"
    )
  ]
})
