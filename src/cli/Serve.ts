import { Effect } from "effect"
import { command } from "./Command.ts"

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
  run: (input) =>
    Effect.flatMap(
      Effect.promise(() => import("../http/Server.ts")),
      (server) => server.serve(input)
    )
})
