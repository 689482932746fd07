import { DateTime, Option } from "effect"
import { type Kept, keepLongIntegers, keptInWords } from "../../../src/evidence/LongIntegers.ts"
import { makeFigures } from "../Figures.ts"
import { judgedBy, wentWell } from "./ClaudeCodeEnd.ts"
import {
  blocksOf,
  type Denial,
  decodeLine,
  denialsOf,
  type Line,
  type Result,
  targetOf
} from "./ClaudeCodeLines.ts"
import { type Sessions, spentIn, tallied, untold } from "./ClaudeCodeUsage.ts"
import type { Mark, Reader } from "./Driver.ts"

/** Calls of tools that may be open at once; the end of older ones is not told. */
const MOST_OPEN = 1000
const MOST_DENIALS = 50
/** A longer target is not repeated in an issue: it stands in the output. */
const MOST_TARGET = 1000

/** The tool by which claude hands over its answer (`--json-schema`): no step of the work. */
const ANSWERING = "StructuredOutput"

/** Reads `--output-format stream-json`. `sessions` tells which session the run goes on with, if any. */
export const streamReader = (sessions: Sessions): Reader => {
  const calls = openCalls()
  const waits = askedToWait()
  const denials = denied()
  let session: string | undefined
  let model: string | undefined
  let begun = false
  let trouble: string | undefined
  const odd: Array<string> = []
  const figures = makeFigures((finding) => odd.push(finding))
  let tally = untold()
  let kept: Option.Option<Kept> = Option.none()

  const read = (line: Line): ReadonlyArray<Mark> => {
    waits.read(line)
    switch (line.type) {
      case "system":
        if (line.subtype === "init") {
          begun = true
          model = line.model
        }
        session = line.session_id ?? session
        return []
      case "assistant":
        trouble = line.error
        return calls.read(line.message?.content)
      case "user":
        return calls.read(line.message?.content)
      case "rate_limit_event":
        return []
      case "result":
        session = line.session_id ?? session
        tally = tallied(tally, line, figures)
        denials.add(denialsOf(line))
        return []
    }
  }

  return {
    line: (text) =>
      Option.match(decodeLine(text), {
        onNone: () => [],
        onSome: (line) => {
          if (line.type !== "result") return read(line)
          kept = answerKept(text, line)
          return read(
            Option.getOrElse(
              Option.flatMap(kept, (of) => decodeLine(of.text)),
              () => line
            )
          )
        }
      }),
    told: (end) => {
      const result = tally.last
      const wait = waits.seconds(result, trouble)
      const verdict = judgedBy(end, { begun, result, trouble, reopens: Option.isSome(wait) })
      const { notes, ...spent } = spentIn(tally, end.stderr, { ...sessions, session }, figures)
      return {
        ...verdict,
        lastMessage: Option.match(result, { onNone: () => "", onSome: answerOf }),
        ...spent,
        // What only an operator can mend is not waited for.
        retryAfterSeconds: Option.filter(
          wait,
          () => verdict.exitStatus === "error" && verdict.retryClass === "retryable"
        ),
        diagnostics: [
          ...denials.told(),
          ...odd,
          ...notes,
          ...Option.match(kept, { onNone: () => [], onSome: (of) => keptInWords(of, (text) => text) })
        ],
        facts: {
          ...(session === undefined ? {} : { session_id: session }),
          ...(model === undefined ? {} : { model }),
          ...Option.match(result, {
            onNone: () => ({}),
            onSome: ({ num_turns }) => (num_turns === undefined ? {} : { turns: num_turns })
          })
        }
      }
    }
  }
}

// The text of a run that failed is the program's own, not the model's: it is the reason, not an answer.
const answerOf = (result: Result): string =>
  result.structured_output !== undefined && result.structured_output !== null
    ? JSON.stringify(result.structured_output)
    : wentWell(result)
      ? (result.result ?? "")
      : ""

// The answer is an object here, which reading the line has already parsed.
const answerKept = (line: string, { structured_output }: Result): Option.Option<Kept> =>
  Option.liftPredicate(keepLongIntegers(line, ["structured_output"]), ({ count }) => count > 0).pipe(
    Option.filter(() => structured_output !== undefined)
  )

const openCalls = () => {
  const open = new Set<string>()
  const mark = (block: ReturnType<typeof blocksOf>[number]): ReadonlyArray<Mark> => {
    if (block.type === "tool_result")
      return open.delete(block.tool_use_id) ? [{ id: block.tool_use_id, ok: block.is_error !== true }] : []
    if (block.name === ANSWERING) return []
    open.add(block.id)
    const [oldest] = open
    if (open.size > MOST_OPEN && oldest !== undefined) open.delete(oldest)
    return [{ id: block.id, tool: block.name, target: targetOf(block.input) }]
  }
  return { read: (content: ReadonlyArray<unknown> | undefined) => blocksOf(content).flatMap(mark) }
}

/** Whether a server that answers so may ask for patience. */
const asksForPatience = (status = 0): boolean => status === 408 || status === 429 || status >= 500
/** Claude's own back-off is 500 ms, doubled with each attempt up to 32 s, and up to a quarter more. */
const ownBackoffMs = (attempt: number): number => Math.min(1000 * 2 ** (attempt - 1), 40_000)

/**
 * How long the server asked to wait: the delay before claude's next try is the server's wish (Retry-After)
 * where it is longer than its own back-off, and a refused subscription says when it opens again. Both count
 * while no request has gone well since. Claude gives up at once, and tells nothing, where it is asked to wait
 * for more than a minute.
 */
const askedToWait = () => {
  let delay: Option.Option<number> = Option.none()
  let opens: Option.Option<number> = Option.none()
  let clock: Option.Option<number> = Option.none()
  const wish = (): Option.Option<number> =>
    Option.zipWith(opens, clock, (at, now) => at - now).pipe(
      Option.filter((seconds) => seconds > 0),
      Option.orElse(() => delay)
    )
  return {
    read: (line: Line): void => {
      if (line.type === "assistant" || line.type === "user")
        clock = Option.orElse(Option.map(stampOf(line.timestamp), inSeconds), () => clock)
      if (line.type === "assistant" && line.error === undefined) {
        delay = Option.none()
        opens = Option.none()
      }
      if (line.type === "rate_limit_event")
        opens = Option.filter(
          Option.fromNullable(line.rate_limit_info?.resetsAt),
          () => line.rate_limit_info?.status === "rejected"
        )
      if (line.type === "system" && line.subtype === "api_retry")
        delay = Option.fromNullable(line.retry_delay_ms).pipe(
          Option.filter((ms) => asksForPatience(line.error_status) && ms > ownBackoffMs(line.attempt ?? 1)),
          Option.map((ms) => Math.ceil(ms / 1000))
        )
    },
    seconds: (result: Option.Option<Result>, trouble: string | undefined): Option.Option<number> => {
      // Without a result somebody ended it while it waited.
      const asked =
        Option.isNone(result) ||
        asksForPatience(result.value.api_error_status) ||
        trouble === "rate_limit" ||
        trouble === "overloaded"
      return asked ? wish() : Option.none()
    }
  }
}

const stampOf = (timestamp: string | undefined): Option.Option<DateTime.DateTime> =>
  Option.flatMap(Option.fromNullable(timestamp), DateTime.make)

const inSeconds = (time: DateTime.DateTime): number => DateTime.toEpochMillis(time) / 1000

const denied = () => {
  const kept = new Map<string, Denial>()
  let more = 0
  return {
    add: (denials: ReadonlyArray<Denial>): void => {
      for (const denial of denials) {
        const id = denial.tool_use_id ?? `denial-${kept.size}`
        if (kept.has(id) || kept.size < MOST_DENIALS) kept.set(id, denial)
        else more++
      }
    },
    told: (): ReadonlyArray<string> => [
      ...Array.from(kept.values(), ({ tool_input, tool_name }) => {
        const target = shown(targetOf(tool_input))
        return target === ""
          ? `permission_denied: ${tool_name}`
          : `permission_denied: ${tool_name}: ${target}`
      }),
      ...(more === 0 ? [] : [`permission_denied: ${more} more, see stdout.log`])
    ]
  }
}

// One line, and nothing is cut off: a part of a secret value would not be masked any more, its JSON form is.
const shown = (target: string): string => {
  if (target.length > MOST_TARGET) return `(${target.length} characters, see stdout.log)`
  return /\p{Cc}/u.test(target) ? JSON.stringify(target).slice(1, -1) : target
}
