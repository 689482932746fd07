import type { Globals } from "./cli/Command.ts"

declare const VERSION: string | undefined

/** Built in; from source there is none. */
const version = typeof VERSION === "string" ? VERSION : "source"

// Answered before anything is loaded: scripts ask for it often.
if (process.argv.length === 3 && process.argv[2] === "--version") console.log(version)
else {
  const { Effect, Layer, Option } = await import("effect")
  const ConfigFile = await import("../layers/config/ConfigFile.ts")
  const Live = await import("../layers/Live.ts")
  const Platform = await import("../layers/Platform.ts")
  const { inThrowAwayFolder } = await import("../layers/DemoFiles.ts")
  const { bind } = await import("./cli/Command.ts")
  const commands = await import("./cli/commands.ts")
  const { main } = await import("./cli/Main.ts")
  const { Terminal } = await import("./cli/Terminal.ts")

  const path = (given: Globals) => ConfigFile.pathOf(Option.getOrUndefined(given.config))
  const reading = (given: Globals) => Live.reading(path(given))
  const working = (given: Globals) => Live.working(path(given))
  const dispatching = (given: Globals) => Live.dispatching(path(given))

  const program = {
    name: "agent-runtime",
    version,
    summary: "the runtime of one agent on one host",
    commands: [
      bind(commands.intake, reading),
      bind(commands.bridgeGithub, reading),
      bind(commands.bridgeDiscord, reading),
      bind(commands.runOnce, dispatching),
      bind(commands.status, reading),
      bind(commands.healthcheck, (given) => Live.looking(path(given))),
      bind(commands.taskList, reading),
      bind(commands.taskShow, reading),
      bind(commands.events, reading),
      bind(commands.taskCancel, working),
      bind(commands.taskRetry, reading),
      bind(commands.pause, reading),
      bind(commands.resume, reading),
      bind(commands.configSchema, () => Layer.empty),
      bind(commands.demo, () => inThrowAwayFolder(Live.dispatching))
    ]
  } as const
  Platform.launch(main(program).pipe(Effect.provideService(Terminal, Platform.terminal())))
}
