import { Deferred, Effect } from "effect"
import { Hurry } from "../dispatch/Hurry.ts"
import { command } from "./Command.ts"
import { Terminal } from "./Terminal.ts"

/** Dispatches until it is interrupted; a second signal hurries its end. */
export const dispatching = (input: { readonly wait: boolean }) =>
  Effect.gen(function* () {
    const { interruptedAgain } = yield* Terminal
    const again = yield* Deferred.make<void>()
    // Heard from the beginning, so that two signals in a row are both heard.
    yield* Effect.forkDaemon(Effect.zipRight(interruptedAgain, Deferred.succeed(again, undefined)))
    const { dispatchHere } = yield* Effect.promise(() => import("../operate/Dispatch.ts"))
    return yield* Effect.provideService(dispatchHere(input), Hurry, { asked: Deferred.await(again) })
  })

export const dispatch = command({
  name: "dispatch",
  group: "Dispatch",
  summary: "run what is due, until told to stop",
  description:
    "Holds the dispatch lock, puts back what a dead dispatcher left, creates the tasks of schedules, and runs up to dispatch.concurrency attempts at once. On SIGTERM or SIGINT it claims nothing more and waits dispatch.drainSeconds for what runs; what is left is stopped and put back, its attempt not counted. A second signal stops it at once. While another dispatcher holds the lock it exits 1.",
  example: "agent-runtime dispatch --wait",
  resident: true,
  arguments: [],
  options: [
    { name: "wait", kind: "flag", description: "Wait for the dispatcher that runs, then take over." }
  ],
  run: dispatching
})
