/** What an agent of the showroom does: the tools that it used, and the outcome that it reports. */
export interface Play {
  /** Words of the task by which the stand-in knows that this is wanted. */
  readonly when: string
  readonly steps: ReadonlyArray<readonly [tool: string, target: string]>
  /** Without one it goes on until it is stopped. */
  readonly outcome?: Readonly<Record<string, unknown>>
  readonly tokens?: readonly [input: number, output: number]
  readonly usd?: number
  /** Files that it leaves below the artifact root. */
  readonly writes?: Readonly<Record<string, string>>
}

const line = (value: unknown): string => JSON.stringify(value)

const outcomeOf = (play: Play) => ({
  machine_status: "ok",
  file_changes: [],
  artifact_paths: [],
  follow_up_tasks: [],
  external_messages: [],
  ...play.outcome
})

const MODEL = "claude-sonnet-4-5"

const claudeStep = ([name, target]: readonly [string, string], at: number): ReadonlyArray<string> => [
  line({
    type: "assistant",
    message: {
      role: "assistant",
      model: MODEL,
      content: [
        {
          type: "tool_use",
          id: `toolu_${at}`,
          name,
          input:
            name === "Bash"
              ? { command: target }
              : name === "Grep"
                ? { pattern: target }
                : { file_path: target }
        }
      ]
    },
    session_id: "s"
  }),
  line({
    type: "user",
    message: {
      role: "user",
      content: [{ tool_use_id: `toolu_${at}`, type: "tool_result", content: "done", is_error: false }]
    },
    session_id: "s"
  })
]

/** A play as claude-code tells it. */
const asClaude = (play: Play): ReadonlyArray<string> => {
  const outcome = outcomeOf(play)
  const [input_tokens, output_tokens] = play.tokens ?? [1_000, 100]
  return [
    line({ type: "system", subtype: "init", session_id: "s", model: MODEL, permissionMode: "dontAsk" }),
    ...play.steps.flatMap(claudeStep),
    ...(play.outcome === undefined
      ? []
      : [
          line({
            type: "result",
            subtype: "success",
            is_error: false,
            num_turns: play.steps.length,
            session_id: "s",
            total_cost_usd: play.usd ?? 0.01,
            usage: {
              input_tokens,
              cache_creation_input_tokens: 0,
              cache_read_input_tokens: 0,
              output_tokens
            },
            permission_denials: [],
            terminal_reason: "completed",
            result: JSON.stringify(outcome),
            structured_output: outcome
          })
        ])
  ]
}

const codexStep = ([, command]: readonly [string, string], at: number): ReadonlyArray<string> => {
  const item = { id: `item_${at}`, type: "command_execution", command }
  return [
    line({
      type: "item.started",
      item: { ...item, aggregated_output: "", exit_code: null, status: "in_progress" }
    }),
    line({
      type: "item.completed",
      item: { ...item, aggregated_output: "", exit_code: 0, status: "completed" }
    })
  ]
}

/** A play as codex tells it. */
const asCodex = (play: Play): ReadonlyArray<string> => {
  const [input_tokens, output_tokens] = play.tokens ?? [1_000, 100]
  return [
    line({ type: "thread.started", thread_id: "t" }),
    line({ type: "turn.started" }),
    ...play.steps.flatMap(codexStep),
    ...(play.outcome === undefined
      ? []
      : [
          line({
            type: "item.completed",
            item: { id: "last", type: "agent_message", text: JSON.stringify(outcomeOf(play)) }
          }),
          line({ type: "turn.completed", usage: { input_tokens, cached_input_tokens: 0, output_tokens } })
        ])
  ]
}

/** The files of a stand-in for an agent's program: one that knows these plays, and tells them line by line. */
export const standIn = (
  driver: "claude-code" | "codex",
  plays: ReadonlyArray<Play>
): Readonly<Record<string, string>> => {
  const tell = driver === "codex" ? asCodex : asClaude
  const cases = plays.map(
    (play, at) => `*"${play.when}"*)
    ${Object.keys(play.writes ?? {})
      .map(
        (path) =>
          `mkdir -p "$AGENT_RUNTIME_ARTIFACT_DIR/$(dirname ${path})"; cp "$here/${driver}-${at}/${path}" "$AGENT_RUNTIME_ARTIFACT_DIR/${path}"`
      )
      .join("\n    ")}
    while IFS= read -r line; do printf '%s\\n' "$line"; sleep ${play.outcome === undefined ? "0.4" : "0.03"}; done < "$here/${driver}-${at}.jsonl"
    ${play.outcome === undefined ? "exec sleep 600" : ""} ;;`
  )
  return {
    [`${driver}.sh`]: `#!/bin/sh
[ "$1" = --version ] && { echo "${driver === "codex" ? "codex-cli 0.50.0" : "2.1.330 (Claude Code)"}"; exit 0; }
here=$(dirname "$0")
case "$(cat)" in
  ${cases.join("\n  ")}
esac
`,
    ...Object.fromEntries(plays.map((play, at) => [`${driver}-${at}.jsonl`, `${tell(play).join("\n")}\n`])),
    ...Object.fromEntries(
      plays.flatMap(({ writes = {} }, at) =>
        Object.entries(writes).map(([path, text]) => [`${driver}-${at}/${path}`, text])
      )
    )
  }
}
