import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { ticking } from "./Progress.ts"

export const runOnce = command({
  name: "run-once",
  group: "Dispatch",
  summary: "run one dispatch cycle",
  description:
    "Takes the dispatch lock, puts back what a dead dispatcher left, claims the best task, runs it through its adapter and records what came of it. Exit code 0 also when there was nothing to do.",
  example: "agent-runtime run-once",
  arguments: [],
  options: [],
  run: () =>
    ticking(
      "the cycle goes on",
      ask(async () => (await import("../operate/Cycle.ts")).once, {})
    )
})
