import { Deferred, Effect, Fiber } from "effect"
import { command, type InputOf } from "./Command.ts"
import { dispatching } from "./Dispatch.ts"

const options = [
  { name: "host", kind: "text", value: "ADDRESS", description: "Where to listen; http.host by default." },
  {
    name: "port",
    kind: "integer",
    min: 0,
    max: 65_535,
    description: "The port, 0 for any that is free; http.port by default."
  },
  {
    name: "insecure-no-auth",
    kind: "flag",
    description: "Ask nobody for a token, whatever address it listens on."
  }
] as const

const serving = (input: InputOf<readonly [], typeof options>, listens?: Effect.Effect<unknown>) =>
  Effect.flatMap(
    Effect.promise(() => import("../http/Server.ts")),
    (server) => server.serve(input, listens)
  )

export const serve = command({
  name: "serve",
  group: "Serve",
  summary: "the LAN API and the operator page",
  description:
    "Serves until it is told to stop, and says on stderr where. Who calls from another host needs one of http.tokens; without tokens it serves this host alone.",
  example: "agent-runtime serve --port 4314",
  resident: true,
  arguments: [],
  options,
  run: (input) => serving(input)
})

export const up = command({
  name: "up",
  group: "Serve",
  summary: "dispatch and serve in one process",
  description:
    "What dispatch and serve do, until it is told to stop; it ends as dispatch does, and when one of the two cannot begin neither does.",
  example: "agent-runtime up --port 4314",
  resident: true,
  arguments: [],
  options: [
    ...options,
    { name: "wait", kind: "flag", description: "Wait for the dispatcher that runs, then take over." }
  ],
  run: (input) =>
    Effect.scoped(
      Effect.gen(function* () {
        // Who is refused for sure opens no port, and logs no line before its error.
        if (!input.wait) yield* (yield* Effect.promise(() => import("../operate/Dispatch.ts"))).unlocked
        const listens = yield* Deferred.make<void>()
        // Served until the last attempt has ended, so that an operator sees what a stop waits for.
        const server = yield* Effect.forkScoped(serving(input, Deferred.succeed(listens, undefined)))
        // Nothing is claimed for a process that ends at once because it cannot be served.
        yield* Effect.raceFirst(Deferred.await(listens), Fiber.join(server))
        // Not a race: that would let go of a dispatcher that still drains, and the store would close under it.
        const parts = [dispatching(input), Fiber.join(server)]
        return yield* Effect.all(parts, { concurrency: "unbounded", discard: true })
      })
    )
})
