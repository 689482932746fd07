import { Data, Either, Option, type ParseResult, Schema, SchemaAST } from "effect"
import { problems, sentence } from "../config/Issues.ts"
import { quoted } from "../domain/Abridged.ts"
import { counted } from "../domain/Figure.ts"
import { isObject, MAX_DEPTH, objectOf } from "../domain/Json.ts"
import { Outcome, OutcomeStatus, Question } from "../domain/Outcome.ts"
import { onFirstUse } from "../domain/Wire.ts"
import { brokenObject } from "./BrokenObject.ts"
import { jsonObjects } from "./JsonObjects.ts"
import { keepLongIntegers, keptInWords } from "./LongIntegers.ts"
import { withoutThoughts } from "./Thoughts.ts"

/** What was found in an adapter's answer. */
export type Reply = Data.TaggedEnum<{
  Found: { readonly outcome: Outcome; readonly diagnostics: ReadonlyArray<string> }
  /** `claims`: whether the answer holds an object with a `status` at all, a broken one too. `reason` is one line. */
  NotFound: { readonly claims: boolean; readonly reason: string }
}>
export const Reply = Data.taggedEnum<Reply>()

/** How an answer is to be read. */
export interface Reading {
  /** Words that a `goal-verify` task takes for a status. */
  readonly signals: ReadonlyArray<string>
  /** What is said about the answer goes through it. */
  readonly mask: (text: string) => string
  /** What a model was asked. With it, neither an object that stands in there nor a thought is an answer. */
  readonly prompt: Option.Option<string>
}

/**
 * Finds the outcome in an answer: bare JSON, fenced, or inside prose. The last complete object that decodes
 * wins. With `signals`, an object whose `status` or `machine_status` is one of them reads as completed / ok
 * with that `workflow_signal`. Of a model's answer, objects that stand word for word in its prompt and those
 * in `<think>` text are passed over. Prose is never interpreted.
 */
export const findOutcome = (answer: string, { mask, prompt, signals }: Reading): Reply => {
  const keys = signals.length > 0 ? ["status", "machine_status"] : ["status"]
  const text = Option.isSome(prompt) ? withoutThoughts(answer, keys) : answer
  const candidates = jsonObjects(text, keys)
  const echoes = echoesOf(prompt)
  let reason: string | undefined
  for (const { start, end, depth } of candidates.toReversed()) {
    const object = text.slice(start, end)
    if (echoes.known(object)) continue
    const found =
      depth > MAX_DEPTH
        ? Either.left(`it is nested deeper than ${MAX_DEPTH} levels`)
        : read(object, { mask, signals }, reason === undefined)
    if (Either.isLeft(found))
      reason ??= `the object at character ${start + 1} of the answer is no outcome: ${found.left}`
    else if (!echoes.holds(object)) return Reply.Found(found.right)
    else if (echoes.count() === MOST_ECHOES) break
  }
  const broken = candidates.length > 0 ? Option.none() : brokenObject(text, keys)
  return Reply.NotFound({
    claims: candidates.length > 0 || Option.isSome(broken),
    reason:
      echoes.count() > 0
        ? ECHO
        : (reason ?? Option.match(broken, { onNone: () => nothing(answer, text), onSome: brokenAt }))
  })
}

type Mask = Reading["mask"]
type Raw = { readonly [key: string]: unknown }

const ECHO = "the only outcome in the answer stands in the prompt as well"

/** An answer that repeats so many different outcomes of its prompt is not read on: each is a search of the prompt. */
const MOST_ECHOES = 50

/** The outcomes of an answer that were found to stand in the prompt. */
const echoesOf = (prompt: Option.Option<string>) => {
  const found = new Set<string>()
  return {
    known: (object: string): boolean => found.has(object),
    holds: (object: string): boolean => {
      const held = Option.exists(prompt, (text) => text.includes(object))
      if (held) found.add(object)
      return held
    },
    count: (): number => found.size
  }
}

const brokenAt = (start: number): string =>
  `the object at character ${start + 1} of the answer is no complete JSON: it is cut off, or has a value or a comma that JSON does not know, or quotes that are not "`

const nothing = (answer: string, text: string): string => {
  if (answer.trim() === "") return "the answer is empty"
  const where = text === answer ? "" : ", its <think> text aside"
  return `no JSON object with a status stands in the ${counted(answer.length)} characters of the answer${where}`
}

const isStatus = Schema.is(OutcomeStatus)

const withSignal = (raw: Raw, signals: ReadonlyArray<string>): Raw => {
  const signal = [raw.status, raw.machine_status].find(
    (value): value is string => typeof value === "string" && signals.includes(value) && !isStatus(value)
  )
  return signal === undefined
    ? raw
    : { ...raw, status: "completed", machine_status: "ok", workflow_signal: signal }
}

const fieldsOf = (ast: SchemaAST.AST) => SchemaAST.getPropertySignatures(SchemaAST.encodedAST(ast))

const questionKeys = onFirstUse(() => new Set(fieldsOf(Question.ast).map(({ name }) => String(name))))

const read = (object: string, { mask, signals }: Pick<Reading, "mask" | "signals">, explain: boolean) => {
  const kept = keepLongIntegers(object)
  return decode(withSignal(JSON.parse(kept.text), signals), explain, mask).pipe(
    Either.map(({ diagnostics, outcome }) => ({
      outcome,
      diagnostics: [...diagnostics, ...keptInWords(kept, mask)]
    }))
  )
}

const decodeOutcome = Schema.decodeUnknownEither(Outcome, { errors: "all" })

/** `explain`: whether the reason is wanted; telling it costs more than finding it. */
const decode = (raw: Raw, explain: boolean, mask: Mask) => {
  if (!explain && typeof raw.operator_summary !== "string") return Either.left("")
  const fields = fieldsOf(Outcome.ast)
  const known = new Map(fields.map((field) => [String(field.name), field.isOptional]))
  const entries = Object.entries(raw).filter(([key]) => known.has(key))
  const present = entries.filter(([key, value]) => value !== null || known.get(key) === false)
  const cleaned = present.map(([key, value]) => [
    key,
    sound(key === "question" ? withoutNulls(value) : value)
  ])
  const unknown = [
    ...Object.keys(raw).filter((key) => !known.has(key)),
    ...Object.keys(objectOf(raw.question))
      .filter((key) => !questionKeys().has(key))
      .map((key) => `question.${key}`)
  ]
  return decodeOutcome(Object.fromEntries(cleaned)).pipe(
    Either.mapBoth({
      onLeft: (error) => (explain ? inWords(cleaned, error, mask) : ""),
      onRight: (outcome) => ({ outcome: legible(outcome), diagnostics: dropped(unknown.map(mask)) })
    })
  )
}

/** What is wrong, of a choice only what was meant. Values are masked whole: what is told of them is shortened. */
const inWords = (
  fields: ReadonlyArray<ReadonlyArray<unknown>>,
  error: ParseResult.ParseError,
  mask: Mask
): string => {
  const told = decodeOutcome(Object.fromEntries(fields.map(([key, value]) => [key, masked(value, mask)])))
  return mask(
    problems(Either.isLeft(told) ? told.left : error)
      .map(sentence)
      .join("; ")
  )
    .replace(/\s+/g, " ")
    .slice(0, 400)
}

const masked = (value: unknown, mask: Mask): unknown => {
  if (typeof value === "string") return mask(value)
  if (Array.isArray(value)) return value.map((one) => masked(one, mask))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [mask(key), masked(child, mask)]))
}

const withoutNulls = (value: unknown): unknown =>
  isObject(value) ? Object.fromEntries(Object.entries(value).filter(([, child]) => child !== null)) : value

/** Half surrogate pairs, which neither UTF-8 nor the bundle's canonical JSON can hold, become U+FFFD. */
const sound = (value: unknown): unknown => {
  if (typeof value === "string") return value.toWellFormed()
  if (Array.isArray(value)) return value.map(sound)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, sound(child)]))
}

/** A NUL ends a text in too many places that a summary is shown in. */
const legible = (outcome: Outcome): Outcome => ({
  ...outcome,
  operatorSummary: outcome.operatorSummary.replaceAll("\0", "\uFFFD")
})

const MOST_NAMED = 10

const dropped = (keys: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (keys.length === 0) return []
  const named = keys.slice(0, MOST_NAMED).map((key) => quoted(key, 60))
  const more = keys.length > MOST_NAMED ? ` and ${keys.length - MOST_NAMED} more` : ""
  return [`outcome_keys_dropped: the outcome's unknown keys ${named.join(", ")}${more} were dropped`]
}
