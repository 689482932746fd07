import { Data, Effect, Option } from "effect"
import { type Answer, type Globals, Session } from "./Command.ts"
import type { Doc } from "./Doc.ts"
import { records } from "./Records.ts"
import { style } from "./Style.ts"
import { render } from "./Table.ts"
import { Terminal } from "./Terminal.ts"

/** The reader of stdout is gone (`| head`): nothing is left to do, and nothing is wrong. */
export class OutputClosed extends Data.TaggedError("OutputClosed") {}

/** stdout does not take the result (a full disk behind `>`). */
export class OutputFailed extends Data.TaggedError("OutputFailed")<{ readonly code: string }> {}

/** JSON leaves C1 controls, DEL and bidirectional marks as they are; a terminal must not get them raw. */
const RAW = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`

/** One JSON document, indented by two, and a newline. */
export const document = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(RAW, escaped)}\n`

/** One JSON document on one line. */
export const jsonLine = (value: unknown): string => `${JSON.stringify(value).replace(RAW, escaped)}\n`

/** How this run prints. */
export const session = (command: string, globals: Globals, terminal: Terminal["Type"]): Session["Type"] => ({
  command,
  output: Option.getOrElse(globals.output, () => (terminal.stdoutIsTerminal ? "table" : "json")),
  colour: terminal.stdoutIsTerminal && hasColours(terminal),
  columns: terminal.columns
})

/** NO_COLOR and a terminal that calls itself dumb say no. */
export const hasColours = (terminal: Terminal["Type"]): boolean =>
  Option.isNone(terminal.env("NO_COLOR")) && !Option.contains(terminal.env("TERM"), "dumb")

/** A command's answer as the text for stdout; empty when the command has written all itself. */
export const textOf = ({ value, view }: Answer, { output, colour, columns }: Session["Type"]): string => {
  if (value === undefined) return ""
  return output === "json"
    ? document(value)
    : render(view === undefined ? records(value) : view(), { style: style(colour), columns })
}

/** Writes text or bytes to stdout as they are; for output that is no record, such as a log. */
export const write = (
  output: string | Uint8Array
): Effect.Effect<void, OutputClosed | OutputFailed, Terminal> =>
  Effect.gen(function* () {
    if (output.length === 0) return
    const terminal = yield* Terminal
    const written = yield* terminal.write(output)
    if (written._tag === "Closed") return yield* new OutputClosed()
    if (written._tag === "Failed") return yield* new OutputFailed({ code: written.code })
  })

/** Writes one item of a stream that has no end: a JSON object on its own line, or its document. */
export const emit = (
  value: unknown,
  view: () => Doc = () => records(value)
): Effect.Effect<void, OutputClosed | OutputFailed, Terminal | Session> =>
  Effect.flatMap(Session, ({ output, colour, columns }) =>
    write(output === "json" ? jsonLine(value) : render(view(), { style: style(colour), columns }))
  )
