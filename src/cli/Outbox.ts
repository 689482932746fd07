import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, table } from "./Doc.ts"
import { afterOption, limitOption } from "./Input.ts"

const operations = () => import("../operate/Outbox.ts")

export const outboxList = command({
  name: "outbox-list",
  group: "Look",
  summary: "messages that wait for a bridge to send them",
  description:
    "What completed tasks asked to have sent and their profile allows; the runtime itself sends nothing. Ids rise in the order in which messages were put out. `next` is the cursor of the page after, null on the last one.",
  example: "agent-runtime outbox-list --limit 10",
  arguments: [],
  options: [
    { name: "all", kind: "flag", description: "The acknowledged ones too." },
    limitOption,
    afterOption
  ],
  run: (input) => ask(async () => (await operations()).list, input),
  view: ({ messages, next }) => [
    table(
      ["id", { title: "task", keep: true }, "created", "acknowledged", "message"],
      messages.map((one) => [
        one.id,
        one.task_id,
        one.created_at,
        one.acked_at === undefined ? null : `${one.acked_at} by ${one.acked_by?.name}`,
        JSON.stringify(one.message)
      ]),
      "none waits"
    ),
    ...(next === null ? [] : [fields([["next", next]])])
  ]
})

export const outboxAck = command({
  name: "outbox-ack",
  group: "Work",
  summary: "acknowledge a message that a bridge has taken over",
  description:
    "Takes a message out of outbox-list. Doing it again changes nothing: `acked` is then false, and `acked_at` and `acked_by` say who did it and when.",
  example: "agent-runtime outbox-ack 019dd7f3-6c54",
  arguments: [
    {
      name: "id",
      required: true,
      live: "messages",
      description: "The message's id, or so much of its beginning that is no other's."
    }
  ],
  options: [],
  run: (input) => ask(async () => (await operations()).ack, input)
})
