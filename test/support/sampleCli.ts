import { Effect } from "effect"
import * as Platform from "../../layers/Platform.ts"
import { main } from "../../src/cli/Main.ts"
import { Terminal } from "../../src/cli/Terminal.ts"
import { sampleProgram } from "./sampleCommands.ts"

Platform.launch(main(sampleProgram).pipe(Effect.provideService(Terminal, Platform.terminal())))
