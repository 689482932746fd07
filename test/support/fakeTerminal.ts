import { Effect, Option } from "effect"
import { type Content, type Signal, Terminal, type Written } from "../../src/cli/Terminal.ts"

export interface Scene {
  readonly argv?: ReadonlyArray<string>
  readonly env?: { readonly [name: string]: string }
  readonly stdinIsTerminal?: boolean
  /** A terminal of this width; without it stdout is a pipe. */
  readonly columns?: number
  readonly stderrIsJournal?: boolean
  readonly stdin?: string | Uint8Array
  readonly files?: { readonly [path: string]: string | Uint8Array }
  readonly written?: Written
  readonly signal?: Signal
}

const content = (given: string | Uint8Array | undefined): Content =>
  given === undefined
    ? { _tag: "Unreadable", why: "absent", detail: "ENOENT" }
    : { _tag: "Bytes", bytes: typeof given === "string" ? new TextEncoder().encode(given) : given }

/** A Terminal in memory, and what was written to it. */
export const fakeTerminal = (scene: Scene = {}) => {
  const out: Array<Uint8Array> = []
  const err: Array<string> = []
  const report = (text: string): void => {
    err.push(text)
  }
  const service = Terminal.of({
    argv: scene.argv ?? [],
    garbled: Option.none(),
    env: (name) => Option.fromNullable(scene.env?.[name]),
    stdinIsTerminal: scene.stdinIsTerminal ?? false,
    stdoutIsTerminal: scene.columns !== undefined,
    stderrIsTerminal: scene.columns !== undefined,
    stderrIsJournal: scene.stderrIsJournal ?? false,
    columns: Option.fromNullable(scene.columns),
    write: (output) => {
      out.push(Buffer.from(output))
      return Effect.succeed(scene.written ?? { _tag: "Whole" })
    },
    report,
    reportAside: () => Effect.succeed({ report, ended: Effect.void }),
    readStdin: () => Effect.succeed(content(scene.stdin ?? "")),
    readFile: (path) => Effect.succeed(content(scene.files?.[path])),
    interrupted: scene.signal === undefined ? Effect.never : Effect.succeed(scene.signal),
    interruptedAgain: Effect.never
  })
  return {
    service,
    out: () => Buffer.concat(out).toString(),
    bytes: () => Buffer.concat(out),
    err: () => err.join("")
  }
}
