/** How a stubbed model takes part in a test; `[[stub:NAME]]` in a request, or `/s/NAME/` before its path, chooses. */
export interface Scenario {
  readonly name: string
  /** What stands behind the name: `[[stub:write /some/file]]`. */
  readonly argument: string
}

/** What the model answers, whatever protocol it is asked by. */
export type Answer =
  | { readonly _tag: "Says"; readonly text: string; readonly end: "stop" | "length" | "refusal" }
  | { readonly _tag: "Runs"; readonly command: string }
  | { readonly _tag: "Writes"; readonly path: string; readonly content: string }
  | {
      readonly _tag: "Fails"
      readonly status: number
      readonly kind: "context" | "quota" | "status"
      readonly retryAfter?: number
    }
  | { readonly _tag: "Nothing" }

/** How an answer that streams comes: `stalls` after its beginning, is `cut` or `fails` in its middle. */
export type Pace = "at once" | "slow" | "stalls" | "cut" | "fails"

/** Seconds of Retry-After with a 429 whose mark names none. */
export const RETRY_AFTER = 900

/** The file that the scenarios `tool` and `denied` make in the working directory, and its text. */
export const MADE = "made-by-the-model.txt"
export const MADE_TEXT = "made by a tool call\n"

/** What a model says after a tool call that it claims an effect of. */
export const SUMMARY = "The stubbed model did it."

/** The usage that every request tells, in the words of no protocol: `input` counts the cached ones. */
export const USAGE = { input: 1200, cached: 200, output: 80 } as const

export const outcome = (more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    status: "completed",
    operator_summary: SUMMARY,
    machine_status: "ok",
    file_changes: [],
    artifact_paths: [],
    follow_up_tasks: [],
    external_messages: [],
    ...more
  })

const says = (text: string, end: "stop" | "length" | "refusal" = "stop"): Answer => ({
  _tag: "Says",
  text,
  end
})
const runs = (command: string): Answer => ({ _tag: "Runs", command })

// Children that outlive the tool call: an orphan, one in a session of its own, one without the attempt's marker.
const background = (mark: string) =>
  [
    `export STUB_RUN=${mark}`,
    "(tail -f /dev/null >/dev/null 2>&1 &)",
    "setsid tail -F /dev/null >/dev/null 2>&1 &",
    `env -i STUB_RUN=${mark} setsid tail -s 9 -f /dev/null >/dev/null 2>&1 &`
  ].join("\n")

const tools: Readonly<Record<string, (scenario: Scenario) => Answer>> = {
  tool: () => runs(`printf '${MADE_TEXT.trim()}\\n' > ${MADE}`),
  denied: () => runs(`printf '${MADE_TEXT.trim()}\\n' > ${MADE}`),
  write: ({ argument }) => ({ _tag: "Writes", path: argument, content: MADE_TEXT }),
  // The argument is a file that holds the secret, for programs that keep the variable from their tools.
  secret: ({ argument }) =>
    runs(
      [
        `s=\${STUB_SECRET:-$(cat ${argument})}`,
        'printf "plain %s\\n" "$s"',
        'printf %s "$s" | base64 -w0; echo',
        'printf %s "$s" | od -v -An -tx1 | tr -d " \\n"'
      ].join("\n")
    ),
  bgtool: ({ argument }) => runs(`${background(argument)}\necho started`),
  sleeptool: ({ argument }) =>
    runs(`${background(argument)}\ntouch ${argument}.started\ntail -s 7 -f /dev/null`)
}

// After the tool call: a claim of its effect, or what the tool printed.
const afterwards: Readonly<Record<string, (scenario: Scenario, printed: string) => Answer>> = {
  tool: () => says(outcome({ file_changes: [`created: ${MADE}`] })),
  write: ({ argument }) => says(outcome({ file_changes: [`created: ${argument}`] })),
  secret: (_, printed) => says(outcome({ operator_summary: `The tool printed: ${printed}` }))
}

const words: Readonly<Record<string, () => Answer>> = {
  prose: () => says("I have finished the work that you asked for. Everything is in order."),
  fenced: () =>
    says(`Here is the result:\n\n\`\`\`json\n${outcome()}\n\`\`\`\nLet me know if you need more.`),
  empty: () => says(""),
  truncated: () => says(outcome().slice(0, 60), "length"),
  refusal: () => says("I can't help with that.", "refusal"),
  hang: () => ({ _tag: "Nothing" }),
  ctx: () => ({ _tag: "Fails", status: 400, kind: "context" }),
  quota: () => ({ _tag: "Fails", status: 429, kind: "quota" })
}

/** What is answered to a request; `printed` is what a tool call gave before it, undefined where there was none. */
export const answerTo = (scenario: Scenario, printed: string | undefined): Answer => {
  const status = /^s(\d{3})$/.exec(scenario.name)?.[1]
  if (status !== undefined) {
    const failure = { _tag: "Fails", status: Number(status), kind: "status" } as const
    return status === "429" ? { ...failure, retryAfter: Number(scenario.argument || RETRY_AFTER) } : failure
  }
  const tool = tools[scenario.name]
  if (tool !== undefined && printed === undefined) return tool(scenario)
  const said = afterwards[scenario.name] ?? words[scenario.name] ?? plain
  return said(scenario, printed ?? "")
}

const plain = (): Answer => says(outcome())

const paces: Readonly<Record<string, Pace>> = { slow: "slow", stall: "stalls", drop: "cut", ssefail: "fails" }

export const paceOf = (scenario: Scenario): Pace => paces[scenario.name] ?? "at once"

/** The scenario of a request: the last mark in its body, else the prefix of its path, else `ok`. */
export const scenarioOf = (path: string, body: string): Scenario => {
  const mark = [...body.matchAll(/\[\[stub:([a-z0-9]+)(?: ([^\]\\"]*))?\]\]/g)].at(-1)
  const name = mark?.[1] ?? /^\/s\/([a-z0-9]+)\//.exec(path)?.[1] ?? "ok"
  return { name, argument: mark?.[2] ?? "" }
}
