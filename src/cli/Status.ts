import { Effect, Stream } from "effect"
import { Store } from "../store/Store.ts"
import { ask } from "./Ask.ts"
import { command, Session } from "./Command.ts"
import { type Cell, type Doc, fields, heading, status as statusCell, table, toned } from "./Doc.ts"
import { emit, write } from "./Output.ts"
import { Terminal } from "./Terminal.ts"

const now = ask(async () => (await import("../operate/State.ts")).status, {})
type Now = Effect.Effect.Success<typeof now>

/** What the state alone does not say: who dispatches, or that nobody does what is to be done. */
const dispatcherOf = ({ counts, dispatcher }: Now): Cell => {
  const { draining_since: draining, held, runner_id: id } = dispatcher
  if (held && draining !== undefined)
    return toned(`${id ?? "held"} is stopping since ${draining}: it claims nothing more`, "warn")
  if (held) return id ?? "held"
  if (counts.running > 0)
    return toned(
      `none; what is called running was left by a dead one, and the next one (agent-runtime dispatch) puts it back`,
      "bad"
    )
  return counts.queued + counts.retryable_failure > 0
    ? toned("none; agent-runtime dispatch starts one", "warn")
    : "none"
}

const view = (found: Now): Doc => [
  heading(found.runtime_name),
  fields([
    ["state", statusCell(found.runtime_state)],
    ["dispatcher", dispatcherOf(found)],
    ["since", found.dispatcher.since],
    ["paused", found.dispatch_paused.paused ? (found.dispatch_paused.reason ?? "yes") : "no"],
    [
      "last event",
      found.last_event === null ? null : `${found.last_event.event_type} at ${found.last_event.created_at}`
    ]
  ]),
  heading("Tasks"),
  fields(Object.entries(found.counts)),
  heading("Newest"),
  table(
    [{ title: "task", keep: true }, "status", "kind", "subject"],
    found.recent.map((task) => [task.task_id, statusCell(task.status), task.kind, task.subject]),
    "none yet; queue one with agent-runtime intake"
  )
]

/** Between two pictures, so that a busy runtime does not flicker. */
const BETWEEN_PICTURES = "250 millis"

/** Erases the terminal's screen and begins in its corner (ECMA-48: ED, CUP). */
const CLEAR = "\u001b[2J\u001b[H"

// A lock is let go a moment after the last commit of its holder: after each change it is looked at once more.
const watched = Effect.gen(function* () {
  const store = yield* Store
  const { output } = yield* Session
  const { stdoutIsTerminal } = yield* Terminal
  const clear = stdoutIsTerminal && output === "table" ? CLEAR : ""
  const pause = Stream.drain(Stream.fromEffect(Effect.sleep(BETWEEN_PICTURES)))
  const picture = Stream.concat(Stream.fromEffect(now), pause)
  yield* store.changes.pipe(
    Stream.buffer({ capacity: 1, strategy: "sliding" }),
    Stream.flatMap(() => Stream.concat(picture, picture)),
    Stream.changesWith((before, after) => JSON.stringify(before) === JSON.stringify(after)),
    Stream.runForEach((found) =>
      Effect.zipRight(
        write(clear),
        emit(found, () => view(found))
      )
    )
  )
  return undefined
})

export const status = command({
  name: "status",
  group: "Look",
  summary: "what the runtime does now, and the newest tasks",
  description:
    "--watch shows it again after every change, at most four times a second, until it is interrupted: on a terminal in place, otherwise one JSON object a line.",
  example: "agent-runtime status",
  arguments: [],
  options: [{ name: "watch", kind: "flag", description: "Go on with what changes." }],
  run: ({ watch }) => (watch ? watched : now),
  view: (found) => (found === undefined ? [] : view(found))
})
