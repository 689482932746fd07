import { Option, Schema } from "effect"
import { figure, loose, number, text } from "./Loose.ts"

const list = loose(Schema.Array(Schema.Unknown))

/** `init`, which begins a run, and `api_retry`, which says what is waited for; other subtypes are not read. */
const System = Schema.Struct({
  type: Schema.Literal("system"),
  subtype: text,
  session_id: text,
  model: text,
  attempt: number,
  retry_delay_ms: number,
  error_status: number
})

/** What the model said, or a text of the program's own with the sort of failure in `error`. */
const Assistant = Schema.Struct({
  type: Schema.Literal("assistant"),
  message: loose(Schema.Struct({ content: list })),
  error: text,
  timestamp: text
})

const User = Schema.Struct({
  type: Schema.Literal("user"),
  message: loose(Schema.Struct({ content: list })),
  timestamp: text
})

/** How a subscription's limit stands; `resetsAt` is in seconds since 1970. */
const RateLimit = Schema.Struct({
  type: Schema.Literal("rate_limit_event"),
  rate_limit_info: loose(Schema.Struct({ status: text, resetsAt: number }))
})

const Result = Schema.Struct({
  type: Schema.Literal("result"),
  subtype: text,
  is_error: loose(Schema.Boolean),
  result: text,
  structured_output: Schema.optional(Schema.Unknown),
  errors: loose(Schema.Array(Schema.String)),
  session_id: text,
  num_turns: number,
  stop_reason: text,
  terminal_reason: text,
  api_error_status: number,
  api_error: text,
  api_error_type: text,
  total_cost_usd: figure,
  usage: figure,
  model_usage_since_last_result: figure,
  permission_denials: list
})
export type Result = typeof Result.Type

/** A line of `--output-format stream-json`, as far as the runtime reads it. The order of its keys is not stable. */
export const Line = Schema.parseJson(Schema.Union(System, Assistant, User, RateLimit, Result))
export type Line = typeof Line.Type

/** None for what is no line of the protocol and for lines that say nothing to the runtime. */
export const decodeLine: (line: string) => Option.Option<Line> = Schema.decodeUnknownOption(Line)

const Input = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const Block = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("tool_use"),
    id: Schema.String,
    name: Schema.String,
    input: loose(Input)
  }),
  Schema.Struct({
    type: Schema.Literal("tool_result"),
    tool_use_id: Schema.String,
    is_error: loose(Schema.Boolean)
  })
)
export type Block = typeof Block.Type

/** The calls of tools and their results in a message's content. */
export const blocksOf = (content: ReadonlyArray<unknown> | undefined): ReadonlyArray<Block> =>
  (content ?? []).flatMap((block) => Option.toArray(decodeBlock(block)))

const decodeBlock = Schema.decodeUnknownOption(Block)

const Denial = Schema.Struct({ tool_name: Schema.String, tool_use_id: text, tool_input: loose(Input) })
export type Denial = typeof Denial.Type

/** What claude was not permitted to do, in the order in which it tried. */
export const denialsOf = ({ permission_denials }: Result): ReadonlyArray<Denial> =>
  (permission_denials ?? []).flatMap((denial) => Option.toArray(decodeDenial(denial)))

const decodeDenial = Schema.decodeUnknownOption(Denial)

/** What a tool was used on, by the names that claude's own tools give it; their whole input where none fits. */
export const targetOf = (input: typeof Input.Type | undefined): string => {
  if (input === undefined || Object.keys(input).length === 0) return ""
  const told = TARGETS.map((key) => input[key]).find((value) => typeof value === "string" && value !== "")
  return typeof told === "string" ? told : JSON.stringify(input)
}

const TARGETS = [
  "command",
  "file_path",
  "notebook_path",
  "url",
  "pattern",
  "query",
  "path",
  "skill",
  "description",
  "prompt"
]
