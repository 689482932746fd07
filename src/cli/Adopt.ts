import { Effect } from "effect"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, table, text } from "./Doc.ts"
import { told } from "./Told.ts"

export const adopt = command({
  name: "adopt",
  group: "Store",
  summary: "take over a database of the original runtime",
  description:
    "Adds every task, attempt, bundle, event, workflow, schedule and sensor event that is not here yet, with its ids, times, outcomes and keys, in one transaction; what was running is put back. The file is only read, and a second run adds nothing. Stop the original runtime and the dispatcher before. For its evidence, set artifactDir to the artifact folder of the original, or copy that folder's contents.",
  example: "agent-runtime adopt --from /srv/old-runtime/state/runtime.db",
  arguments: [],
  options: [
    { name: "from", kind: "path", value: "FILE", required: true, description: "The original's database." }
  ],
  run: ({ from }) =>
    Effect.flatMap(told, (tell) =>
      ask(async () => (await import("../operate/Adopt.ts")).adopt, { from, tell })
    ),
  view: ({ adopted, from, reclaimed, remarks, set_aside, source_unchanged }) => [
    heading("Adopted"),
    fields([
      ["from", from],
      ["source unchanged", source_unchanged ? "yes" : "no"],
      ["put back", `${reclaimed}`],
      ["set aside", `${set_aside}`]
    ]),
    table(
      ["records", "found", "adopted", "here before"],
      Object.entries(adopted).map(([name, one]) => [
        name.replace("_", " "),
        `${one.found}`,
        `${one.adopted}`,
        `${one.present}`
      ])
    ),
    ...(remarks.length === 0 ? [] : [heading("Remarks"), text(...remarks)])
  ]
})
