import { Effect, Either, Option } from "effect"
import { Invalid, type Problem } from "../config/Issues.ts"
import { type JsonFault, parseJson } from "../config/JsonText.ts"
import { abridged } from "../domain/Abridged.ts"
import type { ArgumentDefinition, OptionDefinition } from "./Command.ts"
import { type Content, Terminal } from "./Terminal.ts"
import { visible } from "./Width.ts"

/** A document from outside is at most this many bytes. */
export const MOST_BYTES = 64 * 1024 * 1024

/** For a definition's options: the file that its document comes from. */
export const fileOption = {
  name: "file",
  kind: "path",
  description: "A file with the document; - reads stdin."
} as const satisfies OptionDefinition

/** For a definition's options: where its document comes from. */
export const documentOptions = [
  { name: "json", kind: "json", description: "The document itself, as JSON text." },
  fileOption
] as const satisfies ReadonlyArray<OptionDefinition>

/** For a definition's options: how much of a list, newest first. */
export const limitOption = {
  name: "limit",
  kind: "integer",
  min: 1,
  max: 500,
  default: 50,
  description: "How many at most, newest first."
} as const satisfies OptionDefinition

/** For a definition's options: where a page of a list begins. */
export const afterOption = {
  name: "after",
  kind: "text",
  value: "CURSOR",
  description: "The page after this one."
} as const satisfies OptionDefinition

/** For a definition's arguments: `-` in their place. */
export const stdinArgument = {
  name: "stdin",
  required: false,
  values: ["-"],
  description: "A lone - reads the document from stdin."
} as const satisfies ArgumentDefinition

/** For a definition's `usage`. */
export const documentUsage = "(--json JSON | --file PATH | -)"

/** For the `usage` of a definition whose document is never an argument. */
export const fileUsage = "(--file PATH | -)"

/** Where a document may come from, as the parser gives it. */
export interface Sources {
  readonly json?: Option.Option<string>
  readonly file?: Option.Option<string>
  readonly stdin?: Option.Option<string>
}

type Source =
  | { readonly _tag: "Argument"; readonly text: string }
  | { readonly _tag: "File"; readonly path: string }
  | { readonly _tag: "Stdin" }

/**
 * Reads the document of a command from the one place that was named and parses it. Invalid says which place
 * is wrong and why: none or several named, a file that is absent, a folder, unreadable, larger than 64 MiB,
 * not UTF-8, not JSON (line and column), or a stdin at which somebody would have to type.
 */
export const readDocument = (sources: Sources): Effect.Effect<unknown, Invalid, Terminal> =>
  Effect.gen(function* () {
    const source = yield* only(sources)
    const name = nameOf(source)
    const text = source._tag === "Argument" ? source.text : yield* load(source)
    return yield* Either.mapLeft(
      parseJson(text),
      (faults) => new Invalid({ problems: faults.map((fault) => at(name, fault)) })
    )
  })

const only = (sources: Sources): Effect.Effect<Source, Invalid> => {
  const { json = Option.none(), file = Option.none(), stdin = Option.none() } = sources
  const named: ReadonlyArray<Source> = [
    ...Option.toArray(json).map((text): Source => ({ _tag: "Argument", text })),
    ...Option.toArray(file).map(
      (path): Source => (path === "-" ? { _tag: "Stdin" } : { _tag: "File", path })
    ),
    ...Option.toArray(stdin).map((): Source => ({ _tag: "Stdin" }))
  ]
  const offered = [
    ...(sources.json === undefined ? [] : ["--json JSON"]),
    ...(sources.file === undefined ? [] : ["--file PATH"]),
    "- for stdin"
  ].join(" or ")
  if (named[0] === undefined) return refuse("the document", "nothing names it", offered, "")
  if (named.length > 1)
    return refuse(
      "the document",
      `it is named ${named.length} times: ${named.map(nameOf).join(", ")}`,
      `one of ${offered}`,
      ""
    )
  return Effect.succeed(named[0])
}

const nameOf = (source: Source): string => {
  switch (source._tag) {
    case "Argument":
      return "--json"
    case "File":
      return `--file ${abridged(visible(source.path))}`
    case "Stdin":
      return "stdin"
  }
}

const load = (
  source: Exclude<Source, { readonly _tag: "Argument" }>
): Effect.Effect<string, Invalid, Terminal> =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    if (source._tag === "Stdin" && terminal.stdinIsTerminal)
      return yield* refuse(
        "stdin",
        "it is a terminal",
        "a document",
        "pipe one in, or name a file with --file PATH"
      )
    const content = yield* source._tag === "Stdin"
      ? terminal.readStdin(MOST_BYTES)
      : terminal.readFile(source.path, MOST_BYTES)
    return yield* textOf(nameOf(source), content)
  })

const textOf = (name: string, content: Content): Effect.Effect<string, Invalid> => {
  if (content._tag === "Unreadable") return unreadable(name, content)
  const [first, second] = content.bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return refuse(name, "it is UTF-16 text", "UTF-8", "save it as UTF-8")
  try {
    return Effect.succeed(new TextDecoder("utf-8", { fatal: true }).decode(content.bytes))
  } catch {
    return refuse(name, "it is not UTF-8 text", "UTF-8", "save it as UTF-8")
  }
}

const unreadable = (
  name: string,
  { why, detail }: Extract<Content, { readonly _tag: "Unreadable" }>
): Effect.Effect<never, Invalid> => {
  switch (why) {
    case "absent":
      return refuse(
        name,
        "there is no such file",
        "a file",
        "check the path; it starts at the working directory"
      )
    case "folder":
      return refuse(name, "it is a folder", "a file", "name a file in it")
    case "denied":
      return refuse(
        name,
        `it cannot be read (${detail})`,
        "a file that this user may read",
        "change its owner or mode"
      )
    case "too_large":
      return refuse(name, `it is larger than 64 MiB (${detail})`, "at most 64 MiB", "")
    case "failed":
      return refuse(name, `it cannot be read (${detail})`, "a readable file", "")
  }
}

const refuse = (
  path: string,
  found: string,
  expected: string,
  remedy: string
): Effect.Effect<never, Invalid> =>
  new Invalid({ problems: [{ kind: "rule", path, found, expected, remedy }] })

const at = (name: string, fault: JsonFault): Problem => ({
  kind: "rule",
  path: `${name}, line ${fault.line}, column ${fault.column}`,
  found: fault.wrong,
  expected: fault.expected,
  remedy: fault.remedy
})
