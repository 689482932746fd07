import { Option, Schema } from "effect"
import { type Usage, unknownUsage } from "../../../src/domain/Usage.ts"
import { endingWords } from "../ChildVerdict.ts"
import { makeFigures } from "../Figures.ts"
import { earlyFailure, type Failure, turnFailure } from "./CodexFailure.ts"
import { type CodexTokens, type Earlier, tokensIn } from "./CodexThread.ts"
import type { End, Mark, Reader, Told } from "./Driver.ts"
import { figure, integer, loose, text } from "./Loose.ts"

/** Of an item that the agent made: what is read of any sort of it. */
const Item = Schema.Struct({
  id: text,
  type: Schema.String,
  text,
  message: text,
  command: text,
  exit_code: integer,
  status: text,
  changes: loose(Schema.Array(Schema.Struct({ path: text }))),
  server: text,
  tool: text,
  prompt: text,
  query: text,
  error: Schema.optional(Schema.Unknown)
})
type Item = typeof Item.Type

const is = Schema.Literal
const Event = Schema.parseJson(
  Schema.Union(
    Schema.Struct({ type: is("thread.started"), thread_id: text }),
    Schema.Struct({ type: is("item.started", "item.updated", "item.completed"), item: Item }),
    Schema.Struct({ type: is("turn.completed"), usage: figure }),
    Schema.Struct({ type: is("turn.failed"), error: loose(Schema.Struct({ message: text })) }),
    Schema.Struct({ type: is("error"), message: text })
  )
)
const event = Schema.decodeUnknownOption(Event)

/** How a tool is called among the steps, and what it was used on; none for items that are no deed. */
const deed = (item: Item): Option.Option<{ readonly tool: string; readonly target: string }> => {
  switch (item.type) {
    case "command_execution":
      return Option.some({ tool: "shell", target: item.command ?? "" })
    case "file_change":
      return Option.some({
        tool: "edit",
        target: (item.changes ?? []).flatMap(({ path }) => path ?? []).join(", ")
      })
    case "mcp_tool_call":
      return Option.some({ tool: "mcp", target: `${item.server ?? ""}.${item.tool ?? ""}` })
    case "web_search":
      return Option.some({ tool: "web_search", target: item.query ?? "" })
    case "collab_tool_call":
      return Option.some({ tool: item.tool ?? "agent", target: item.prompt ?? "" })
    default:
      return Option.none()
  }
}

const went = ({ error, exit_code, status }: Item): boolean =>
  (exit_code ?? 0) === 0 && (error ?? null) === null && status !== "failed" && status !== "declined"

/** Warnings of codex are kept up to here. */
const MOST_WARNINGS = 20
// Said of every model that codex was not built with.
const EXPECTED = /^Model metadata for `/

const minus = (total: CodexTokens, earlier: CodexTokens): Usage => {
  const since = (figure: keyof CodexTokens) =>
    Option.zipWith(total[figure], earlier[figure], (all, before) => Math.max(0, all - before))
  return {
    inputTokens: since("inputTokens"),
    cachedTokens: since("cachedTokens"),
    outputTokens: since("outputTokens"),
    costUsd: Option.none()
  }
}

/**
 * Reads `codex exec --json`. The usage that it tells is the thread's total: of what the thread had used before
 * (`earlier`) nothing is counted again.
 */
export const codexReader = (earlier: Earlier): Reader => {
  let thread: Option.Option<string> = Option.none()
  let lastMessage = ""
  let usage: Option.Option<CodexTokens> = Option.none()
  let completed = false
  let failed: Option.Option<string> = Option.none()
  let lastError: Option.Option<string> = Option.none()
  const warnings = new Set<string>()
  const warn = (warning: string) => {
    if (warnings.size < MOST_WARNINGS) warnings.add(warning)
  }
  const odd: Array<string> = []
  const figures = makeFigures((finding) => odd.push(finding))

  const begun = (item: Item): ReadonlyArray<Mark> =>
    Option.match(deed(item), { onNone: () => [], onSome: (what) => [{ id: item.id ?? "", ...what }] })

  const done = (item: Item): ReadonlyArray<Mark> => {
    if (item.type === "agent_message") lastMessage = item.text ?? ""
    if (item.type === "error" && !EXPECTED.test(item.message ?? ""))
      warn(`codex warned: ${item.message ?? ""}`)
    return Option.match(deed(item), {
      onNone: () => [],
      onSome: (what) => {
        if (item.status === "declined") warn(`codex was not allowed to use ${what.tool}: ${what.target}`)
        return [{ id: item.id ?? "", ...what, ok: went(item) }]
      }
    })
  }

  const line = (given: string): ReadonlyArray<Mark> => {
    const found = event(given)
    if (Option.isNone(found)) return []
    switch (found.value.type) {
      case "thread.started":
        thread = Option.fromNullable(found.value.thread_id)
        return []
      case "item.started":
        return begun(found.value.item)
      case "item.updated":
        return []
      case "item.completed":
        return done(found.value.item)
      case "turn.completed":
        completed = true
        failed = Option.none()
        usage = Option.map(Option.fromNullable(found.value.usage), (told) => tokensIn(told, figures))
        return []
      case "turn.failed":
        completed = false
        failed = Option.fromNullable(found.value.error?.message)
        return []
      case "error":
        lastError = Option.orElse(Option.fromNullable(found.value.message), () => lastError)
        return []
    }
  }

  const failure = ({ ending, stderr }: End): Option.Option<Failure> => {
    if (Option.isSome(failed)) return Option.some(turnFailure(failed.value))
    if (ending._tag !== "Exited")
      return Option.some({
        retryClass: "retryable",
        reason: Option.getOrElse(lastError, () => signal(ending))
      })
    if (ending.code === 0)
      return completed
        ? Option.none()
        : Option.some({ retryClass: "retryable", reason: "codex ended without completing its turn" })
    return Option.some(
      Option.match(completed ? Option.none() : lastError, {
        onNone: () => earlyFailure(ending.code, stderr),
        onSome: turnFailure
      })
    )
  }

  const used = (): Pick<Told, "usage" | "diagnostics"> => {
    if (Option.isNone(usage)) return { usage: unknownUsage, diagnostics: [] }
    return earlier._tag === "Known"
      ? { usage: minus(usage.value, earlier.usage), diagnostics: [] }
      : {
          usage: unknownUsage,
          diagnostics: [`the usage of this run alone is not known: ${earlier.why}`]
        }
  }

  const told = (end: End): Told => {
    const fault = failure(end)
    const { diagnostics, usage } = used()
    return {
      exitStatus: Option.isNone(fault) ? "ok" : "error",
      retryClass: Option.match(fault, { onNone: () => "none", onSome: ({ retryClass }) => retryClass }),
      reason: Option.filter(
        Option.map(fault, ({ reason }) => reason),
        (reason) => reason !== ""
      ),
      lastMessage,
      usage,
      retryAfterSeconds: Option.none(),
      diagnostics: [...warnings, ...odd, ...diagnostics],
      facts: Option.match(thread, { onNone: () => ({}), onSome: (session_id) => ({ session_id }) })
    }
  }

  return { line, told }
}

// Why the runtime ended a run is the runtime's to say.
const signal = (ending: End["ending"]): string => (ending._tag === "Killed" ? endingWords(ending) : "")
