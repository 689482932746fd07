import discord from "../../fixtures/discord-mention.json"
import github from "../../fixtures/github-pr-merged.json"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { type Block, fields, heading, status, table, text } from "./Doc.ts"
import { ticking } from "./Progress.ts"

export const demo = command({
  name: "demo",
  group: "Set up",
  summary: "queue, run and verify two example events",
  description:
    "Takes a GitHub and a Discord event through the whole line with the built-in configuration, in a folder that is gone afterwards: no configuration, model server or network is needed.",
  example: "agent-runtime demo",
  arguments: [],
  options: [],
  run: () =>
    ticking(
      "two events go through the line",
      ask(async () => (await import("../operate/Demo.ts")).demo, { github, discord })
    ),
  exitCode: ({ ok }) => (ok ? 0 : 1),
  view: ({ tasks }) =>
    tasks.flatMap(
      (task): ReadonlyArray<Block> => [
        heading(task.subject ?? task.kind),
        fields([
          ["task", task.task_id],
          ["status", status(task.status)],
          ["adapter", task.adapter_id],
          ["bundle hash", task.bundle_hash],
          ["replay grade", task.replay_grade],
          ["events", task.events.join(" > ")]
        ]),
        text(...(task.operator_summary ?? "").split("\n")),
        table(
          ["evidence", "bytes", "sha256"],
          task.evidence.map((one) => [one.path, one.bytes, one.sha256])
        )
      ]
    )
})
