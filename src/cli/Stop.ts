import { Effect } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, toned } from "./Doc.ts"
import { telling } from "./Progress.ts"
import { looked } from "./TaskMoves.ts"
import { UsageError } from "./UsageError.ts"

const withoutNow = () =>
  new UsageError({
    command: "stop",
    problems: [
      {
        wrong: "--now is missing: stop pauses dispatch and force-cancels everything that runs",
        remedy: "`agent-runtime pause` stops claiming and lets what runs end by itself"
      }
    ]
  })

export const stop = command({
  name: "stop",
  group: "Steer",
  summary: "pause, and force-cancel everything that runs",
  description:
    "Nothing more is claimed from then on, and the process trees of all running attempts are stopped: by their dispatcher, or by this command where none is alive. `canceled` counts them. A pause that is in force stays, `before` tells since when and by whom; a reason is added to its own. `agent-runtime resume` lets dispatch go on; `agent-runtime task-retry` gives a canceled task another round.",
  usage: "--now",
  example: "agent-runtime stop --now --reason 'wrong key in the vault'",
  arguments: [],
  options: [
    { name: "now", kind: "flag", description: "Say that it is meant; without it nothing is stopped." },
    { name: "reason", kind: "text", description: "Why; it stands in the history." }
  ],
  run: ({ now, reason }) =>
    Effect.gen(function* () {
      if (!now) return yield* withoutNow()
      return yield* telling(looked, (tell) =>
        ask(async () => (await import("../operate/Stop.ts")).stop, { reason, tell })
      )
    }),
  view: ({ before, canceled, reason, updated_at }) => [
    fields([
      ["dispatch", toned("paused", "warn")],
      ["reason", reason],
      ["since", updated_at],
      ...(before === undefined
        ? []
        : [["was paused already", `since ${before.updated_at} by ${before.actor.name}`] as const]),
      ["canceled", canceled.moved],
      ["not canceled", canceled.refused],
      ...(canceled.moved > 0 ? [["marked in the history", canceled.bulk_id] as const] : [])
    ])
  ]
})
