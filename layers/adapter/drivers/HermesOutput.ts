import { Option, Schema } from "effect"
import type { JsonObject } from "../../../src/domain/Json.ts"
import { type Usage, unknownUsage } from "../../../src/domain/Usage.ts"
import { makeFigures, sumOf } from "../Figures.ts"
import type { Mark, Reader } from "./Driver.ts"
import { failedBy, judgedByExit, judgedByRecord, sessionIn } from "./HermesEnd.ts"
import { figure, loose, number, text } from "./Loose.ts"

/** Characters of an answer that are kept while it comes. */
const MOST_KEPT = 1024 * 1024
/** Calls without an id that may be open at once; the oldest is let go of beyond. */
const MOST_OPEN = 256

/** A line of `--format stream-json`, as far as the runtime reads it. */
const Line = Schema.parseJson(
  Schema.Union(
    Schema.Struct({ type: Schema.Literal("system"), model: text, session_id: text }),
    Schema.Struct({ type: Schema.Literal("text"), text }),
    Schema.Struct({
      type: Schema.Literal("tool_use"),
      name: text,
      tool_call_id: text,
      input: loose(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
    }),
    Schema.Struct({
      type: Schema.Literal("tool_result"),
      name: text,
      tool_call_id: text,
      is_error: loose(Schema.Boolean)
    }),
    Schema.Struct({
      type: Schema.Literal("result"),
      session_id: text,
      exit_code: number,
      text,
      tokens: figure,
      error: text
    })
  )
)
type Line = typeof Line.Type
type Result = Extract<Line, { readonly type: "result" }>

const decodeLine = Schema.decodeUnknownOption(Line)

/**
 * Reads `--format stream-json`: a line `system/init`, then `text`, `tool_use` and `tool_result`, at the end one
 * `result`. `notes` are findings that are known before the start.
 */
export const recordReader = (notes: ReadonlyArray<string>): Reader => {
  const calls = openCalls()
  const said = keeping()
  let model: string | undefined
  let session: string | undefined
  let result: Result | undefined
  return {
    line: (raw) => {
      const read = decodeLine(raw)
      if (Option.isNone(read)) return []
      const line = read.value
      switch (line.type) {
        case "system":
          model = line.model || model
          session = line.session_id || session
          return []
        case "text":
          said.add(line.text ?? "")
          return []
        case "tool_use":
          said.forget()
          return [calls.begun(line)]
        case "tool_result":
          return [calls.ended(line)]
        case "result":
          session = line.session_id || session
          result = line
          return []
      }
    },
    told: (end) => {
      const answer = result?.text || said.text()
      const odd: Array<string> = []
      const usage = usageOf(result?.tokens, (finding) => odd.push(finding))
      return {
        ...judgedByRecord(end, result),
        lastMessage: answer,
        usage,
        retryAfterSeconds: Option.none(),
        diagnostics: [
          ...notes,
          ...odd,
          ...(answer === "" ? said.lost() : []),
          // An incomplete turn may end with 0 all the same: the outcome decides, but this is to be seen.
          ...(result?.error === undefined || failedBy(end, result)
            ? []
            : [`hermes reported: ${result.error}`])
        ],
        facts: factsOf(session ?? sessionIn(end.stderr), model)
      }
    }
  }
}

/** Reads `-Q` of versions without `--format`: stdout is the answer, the session's id a line of stderr or stdout. */
export const plainReader = (notes: ReadonlyArray<string>): Reader => {
  const said = keeping()
  return {
    line: (raw) => {
      said.add(`${raw}\n`)
      return []
    },
    told: (end) => ({
      ...judgedByExit(end),
      lastMessage: withoutSession(said.text()),
      usage: unknownUsage,
      retryAfterSeconds: Option.none(),
      diagnostics: [...notes, ...said.lost()],
      facts: factsOf(sessionIn(end.stderr) ?? sessionIn(end.stdout), undefined)
    })
  }
}

// Older versions name the session on stdout, below the answer.
const withoutSession = (output: string): string => {
  const trimmed = output.trimEnd()
  const last = trimmed.lastIndexOf("\n") + 1
  return /^session_id: \S+$/.test(trimmed.slice(last)) ? trimmed.slice(0, last) : output
}

// Cut text could begin or end inside of a secret value: too much of it is let go of as a whole.
const keeping = () => {
  let kept: Array<string> = []
  let size = 0
  let lost = false
  return {
    add: (piece: string) => {
      size += piece.length
      if (size <= MOST_KEPT) kept.push(piece)
      else {
        kept = []
        lost = true
      }
    },
    forget: () => {
      kept = []
      size = 0
      lost = false
    },
    text: () => kept.join(""),
    lost: (): ReadonlyArray<string> =>
      lost ? [`the answer had more than ${MOST_KEPT} characters and was not kept: see stdout.log`] : []
  }
}

const openCalls = () => {
  const open: Array<{ readonly name: string; readonly id: string }> = []
  let number = 0
  return {
    begun: ({ input, name = "tool", tool_call_id }: Extract<Line, { readonly type: "tool_use" }>): Mark => {
      const id = tool_call_id ?? `call-${++number}`
      if (tool_call_id === undefined) {
        open.push({ name, id })
        if (open.length > MOST_OPEN) open.shift()
      }
      return { id, tool: name, target: targetOf(input ?? {}) }
    },
    ended: ({ is_error, name, tool_call_id }: Extract<Line, { readonly type: "tool_result" }>): Mark => {
      const ok = is_error !== true
      if (tool_call_id !== undefined) return { id: tool_call_id, ok }
      const at = open.findIndex((call) => name === undefined || call.name === name)
      const [call] = at < 0 ? [] : open.splice(at, 1)
      return call === undefined
        ? { id: `call-${++number}`, tool: name ?? "tool", target: "", ok }
        : { id: call.id, ok }
    }
  }
}

/** What a tool was used on, by the names that hermes's own tools give it. */
const TARGETS = ["command", "path", "file_path", "url", "query", "pattern", "name", "code", "goal"]

const targetOf = (input: JsonObject): string => {
  const told = TARGETS.map((key) => input[key]).find((value) => typeof value === "string" && value !== "")
  return typeof told === "string" ? told : Object.keys(input).length === 0 ? "" : JSON.stringify(input)
}

/**
 * hermes counts what came from the cache and what went into it beside `input`: the input of the runtime's
 * records is all three. A figure that was not told is none; a run that told no tokens at all has zeros everywhere.
 */
const usageOf = (told: unknown, remark: (finding: string) => void): Usage => {
  const figures = makeFigures(remark)
  const { cache_read, cache_write, input, output } = figures.object("tokens", told)
  const written = figures.part("cache_write", cache_write)
  const usage = {
    inputTokens: sumOf([figures.tokens("input", input), figures.part("cache_read", cache_read), written]),
    outputTokens: figures.tokens("output", output),
    cachedTokens: figures.tokens("cache_read", cache_read),
    costUsd: Option.none()
  }
  const isNothing = [usage.inputTokens, usage.outputTokens, usage.cachedTokens, written].every((one) =>
    Option.contains(
      Option.orElse(one, () => Option.some(0)),
      0
    )
  )
  return isNothing ? unknownUsage : usage
}

const factsOf = (session: string | undefined, model: string | undefined): JsonObject => ({
  ...(session === undefined ? {} : { session_id: session }),
  ...(model === undefined ? {} : { model })
})
