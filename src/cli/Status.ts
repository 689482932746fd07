import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, status as statusCell, table } from "./Doc.ts"

export const status = command({
  name: "status",
  group: "Look",
  summary: "what the runtime does now, and the newest tasks",
  example: "agent-runtime status",
  arguments: [],
  options: [],
  run: () => ask(async () => (await import("../operate/State.ts")).status, {}),
  view: (now) => [
    heading(now.runtime_name),
    fields([
      ["state", statusCell(now.runtime_state)],
      ["dispatcher", now.dispatcher.held ? (now.dispatcher.runner_id ?? "held") : "none"],
      ["since", now.dispatcher.since],
      ["paused", now.dispatch_paused.paused ? (now.dispatch_paused.reason ?? "yes") : "no"],
      [
        "last event",
        now.last_event === null ? null : `${now.last_event.event_type} at ${now.last_event.created_at}`
      ]
    ]),
    heading("Tasks"),
    fields(Object.entries(now.counts)),
    heading("Newest"),
    table(
      [{ title: "task", keep: true }, "status", "kind", "subject"],
      now.recent.map((task) => [task.task_id, statusCell(task.status), task.kind, task.subject]),
      "none yet; queue one with agent-runtime intake"
    )
  ]
})
