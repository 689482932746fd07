import { Effect, Option, Stream } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { table } from "./Doc.ts"
import { emit } from "./Output.ts"

/** Events that are listed where nobody says how many. */
const EVENTS = 1_000

const followed = (since: Option.Option<number>, limit: Option.Option<number>) =>
  Effect.gen(function* () {
    const history = yield* Effect.promise(() => import("../operate/History.ts"))
    const all = history.followed(since)
    const wanted = Option.match(limit, { onNone: () => all, onSome: (most) => Stream.take(all, most) })
    yield* Stream.runForEach(wanted, emit)
    return undefined
  })

export const events = command({
  name: "events",
  group: "Look",
  summary: "the history",
  description:
    "Without --since the newest events; with it those after that id (0: from the start), oldest first. --follow prints one object a line, as they happen, until it is interrupted or there were as many as --limit says.",
  example: "agent-runtime events --since 0 --limit 100",
  arguments: [],
  options: [
    { name: "since", kind: "integer", min: 0, value: "ID", description: "Only events after this id." },
    {
      name: "limit",
      kind: "integer",
      min: 1,
      max: 10_000,
      description: `How many at most; ${EVENTS} where it is left out, and no end with --follow.`
    },
    { name: "follow", kind: "flag", description: "Go on with what happens." }
  ],
  run: (input) =>
    input.follow
      ? followed(input.since, input.limit)
      : ask(async () => (await import("../operate/History.ts")).events, {
          ...input,
          limit: Option.getOrElse(input.limit, () => EVENTS)
        }),
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
