import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs"
import { join } from "node:path"
import { Option, Schema } from "effect"
import type { Usage } from "../../../src/domain/Usage.ts"
import { type Figures, makeFigures } from "../Figures.ts"

/** Token counts as codex tells them; input includes what was cached, output what was reasoned. */
export type CodexTokens = Omit<Usage, "costUsd">

/** The counts in a `usage` of codex; none where it does not tell one. */
export const tokensIn = (usage: unknown, figures: Figures): CodexTokens => {
  const { cached_input_tokens, input_tokens, output_tokens } = figures.object("usage", usage)
  return {
    inputTokens: figures.tokens("input_tokens", input_tokens),
    cachedTokens: figures.tokens("cached_input_tokens", cached_input_tokens),
    outputTokens: figures.tokens("output_tokens", output_tokens)
  }
}

/** What a thread had used before this run: nothing of a new one; `Unknown` where it cannot be found out. */
export type Earlier =
  | { readonly _tag: "Known"; readonly usage: CodexTokens }
  | { readonly _tag: "Unknown"; readonly why: string }

const NOTHING: Earlier = {
  _tag: "Known",
  usage: { inputTokens: Option.some(0), cachedTokens: Option.some(0), outputTokens: Option.some(0) }
}

const THREAD = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * What a resumed or forked thread had used before: codex counts a thread's tokens over all its turns, and so
 * it has to be read from the thread's rollout file, before the run starts.
 */
export const earlierUsage = (extraArgs: ReadonlyArray<string>, home: Option.Option<string>): Earlier => {
  const at = extraArgs.findIndex((word) => word === "resume" || word === "fork")
  if (at === -1) return NOTHING
  const thread = extraArgs.slice(at + 1).find((word) => THREAD.test(word))
  if (thread === undefined) return { _tag: "Unknown", why: "extraArgs name no thread by its id" }
  const found = Option.flatMap(home, (folder) => rolloutOf(join(folder, "sessions"), thread))
  return Option.match(Option.flatMap(found, lastTotal), {
    onNone: () => ({ _tag: "Unknown", why: `no rollout file in CODEX_HOME/sessions tells it of ${thread}` }),
    onSome: (usage) => ({ _tag: "Known", usage })
  })
}

const rolloutOf = (sessions: string, thread: string): Option.Option<string> => {
  try {
    const [name] = new Bun.Glob(`**/rollout-*-${thread}.jsonl`).scanSync({ cwd: sessions })
    return Option.map(Option.fromNullable(name), (file) => join(sessions, file))
  } catch {
    // No session was ever kept in this home.
    return Option.none()
  }
}

const TokenCount = Schema.parseJson(
  Schema.Struct({
    type: Schema.Literal("event_msg"),
    payload: Schema.Struct({
      type: Schema.Literal("token_count"),
      info: Schema.Struct({ total_token_usage: Schema.Unknown })
    })
  })
)

/** Each turn of a thread ends with its total: it stands near the file's end. */
const END_BYTES = 4 * 1024 * 1024

const lastTotal = (file: string): Option.Option<CodexTokens> => {
  // What is odd about the usage of earlier runs is not this one's to tell.
  const figures = makeFigures(() => undefined)
  const lines = endOf(file).split("\n")
  for (const line of lines.reverse()) {
    if (!line.includes('"token_count"')) continue
    const found = Schema.decodeUnknownOption(TokenCount)(line)
    if (Option.isNone(found)) continue
    const total = tokensIn(found.value.payload.info.total_token_usage, figures)
    if (Option.isSome(total.inputTokens) && Option.isSome(total.outputTokens)) return Option.some(total)
  }
  return Option.none()
}

const endOf = (file: string): string => {
  try {
    // An agent may have put a pipe in its place, at which this would wait.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { size } = fstatSync(fd)
      const buffer = Buffer.alloc(Math.min(size, END_BYTES))
      return buffer.toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, size - buffer.length))
    } finally {
      closeSync(fd)
    }
  } catch {
    // What cannot be read tells nothing; that is said where the usage is told.
    return ""
  }
}
