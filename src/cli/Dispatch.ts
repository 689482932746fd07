import { Effect } from "effect"
import { command } from "./Command.ts"

export const dispatch = command({
  name: "dispatch",
  group: "Dispatch",
  summary: "run what is due, until told to stop",
  description:
    "Holds the dispatch lock, puts back what a dead dispatcher left, creates the tasks of schedules, and runs up to dispatch.concurrency attempts at once. On SIGTERM or SIGINT it claims nothing more and waits dispatch.drainSeconds for what runs; what is left is stopped and put back, its attempt not counted. While another dispatcher holds the lock it exits 1.",
  example: "agent-runtime dispatch --wait",
  resident: true,
  arguments: [],
  options: [
    { name: "wait", kind: "flag", description: "Wait for the dispatcher that runs, then take over." }
  ],
  run: (input) =>
    Effect.flatMap(
      Effect.promise(() => import("../operate/Dispatch.ts")),
      ({ dispatchHere }) => dispatchHere(input)
    )
})
