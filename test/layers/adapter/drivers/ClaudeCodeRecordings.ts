import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Option, Schema } from "effect"
import { claudeCode } from "../../../../layers/adapter/drivers/ClaudeCode.ts"
import type { Mark, Plan, Told } from "../../../../layers/adapter/drivers/Driver.ts"
import type { Ending } from "../../../../layers/adapter/Process.ts"
import { scriptSettings } from "../../../../layers/adapter/ScriptedAdapters.ts"
import type { AgentCliSettings } from "../../../../src/config/AdapterSettings.ts"

const folder = join(import.meta.dir, "../../../../fixtures/agents/claude-code")

const Ends = Schema.Record({
  key: Schema.String,
  value: Schema.Struct({ code: Schema.Int, stderr: Schema.String })
})

/** Exit codes and stderr of the recordings. */
const ends = Schema.decodeUnknownSync(Schema.parseJson(Ends))(readFileSync(join(folder, "ends.json"), "utf8"))

/** The names of all recordings. */
export const recordings: ReadonlyArray<string> = Object.keys(ends)

/** The lines that claude-code 2.1.330 printed in a scenario, less what nobody reads; none where it printed none. */
export const linesOf = (name: string): ReadonlyArray<string> =>
  name === "badflag"
    ? []
    : readFileSync(join(folder, `${name}.jsonl`), "utf8")
        .split("\n")
        .filter((line) => line !== "")

export const settings = (changes: Partial<AgentCliSettings> = {}): AgentCliSettings => {
  const { mode: _, untrustedArgs: __, ...child } = scriptSettings("claude", { workspace: "exclusive" })
  return {
    ...child,
    mode: "agent-cli",
    driver: "claude-code",
    model: Option.none(),
    settingsFile: Option.none(),
    sandbox: Option.none(),
    autonomy: "restricted",
    provider: {},
    ...changes
  }
}

export const plan = (changes: Partial<AgentCliSettings> = {}, job: Partial<Plan["job"]> = {}): Plan => ({
  settings: settings(changes),
  job: { prompt: "# Task\nlook", model: Option.none(), untrusted: false, withheld: [], ...job },
  cwd: "/workspace",
  scratch: "/scratch",
  env: {},
  abilities: new Set()
})

interface Read {
  readonly told: Told
  readonly marks: ReadonlyArray<Mark>
}

/** What the driver makes of lines and an end. */
export const reading = (
  lines: ReadonlyArray<string>,
  { ending, of = plan(), stderr = "" }: { ending: Ending; of?: Plan; stderr?: string }
): Read => {
  const reader = claudeCode.reader(of)
  const marks = lines.flatMap(reader.line)
  return { marks, told: reader.told({ ending, stderr, stdout: lines.join("\n") }) }
}

/** What the driver makes of a recording; `ending` in the place of the exit that was recorded. */
export const replay = (name: string, change: { ending?: Ending; of?: Plan } = {}): Read => {
  const { code, stderr } = ends[name] ?? { code: -1, stderr: "" }
  return reading(linesOf(name), { ending: { _tag: "Exited", code }, stderr, ...change })
}
