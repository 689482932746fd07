import { Option } from "effect"
import type { AgentCliSettings } from "../../../src/config/AdapterSettings.ts"
import { usualLadder } from "../Ladder.ts"
import type { Driver, Invocation, Plan } from "./Driver.ts"
import { plainReader, recordReader } from "./HermesOutput.ts"

/**
 * Most bytes of a prompt that goes by argv: Linux takes 128 KiB in one string (MAX_ARG_STRLEN), its flag and
 * the closing NUL included.
 */
export const ARGUMENT_BYTES = 120 * 1024

/** The flags that not every version has, as its help names them. */
const ABILITIES = ["--query-file", "--format", "--source", "--ignore-rules", "--safe-mode"] as const

const BYPASS = ["--yolo"]

/** What hermes takes for false in a switch of its environment. */
const OFF = /^(0|false|no|off)?$/i

/** argparse takes an unambiguous beginning for the whole flag: `--y` is `--yolo`. */
const LEAST_OF_A_FLAG = 3

const names = (argument: string, flag: string): boolean => {
  const name = argument.split("=", 1)[0] ?? ""
  return name === flag || (name.length >= LEAST_OF_A_FLAG && flag.startsWith(name))
}

const among = (argument: string, flags: ReadonlyArray<string>): boolean =>
  flags.some((flag) => names(argument, flag))

// Short flags may be run together behind those that take no value, their own value too: -Qqtext.
const asksItself = (argument: string): boolean => /^-[Qvw]*[qz]/.test(argument)
const movesAway = (argument: string): boolean => /^-[Qv]*w/.test(argument)

/**
 * hermes-agent's `chat`, one turn and out. Flags that a version may lack are used as its `chat --help` names
 * them. Facts: hermes-agent's own parser and stream format, read, never run against a real provider.
 */
export const hermes: Driver = {
  // Python reads the prompt in the locale's encoding otherwise; the runtime speaks UTF-8.
  env: () => ({ PYTHONIOENCODING: "utf-8" }),
  bypass: BYPASS,
  // It makes an interrupt of SIGTERM, ends its tools within 1.5 s, and exits with 130.
  ladder: usualLadder,
  examine: Option.some({
    args: ["chat", "--help"],
    abilities: (output) =>
      new Set(
        ABILITIES.filter((flag) => new RegExp(`(?<![\\w-])${flag}(?![\\w-])`).test(output)).filter(
          (flag) => flag !== "--format" || output.includes("stream-json")
        )
      )
  }),
  objection: (settings, env) => {
    const own = settings.extraArgs.find(
      (argument) => among(argument, ["--query", "--query-file", "--format"]) || asksItself(argument)
    )
    if (own !== undefined)
      return Option.some({
        reason: `extraArgs hold ${flagOf(own)}, which the runtime sets itself`,
        remedy: "remove it from the adapter's extraArgs"
      })
    const away = settings.extraArgs.find(
      (argument) =>
        argument.split("=", 1)[0] === "--in" || among(argument, ["--worktree"]) || movesAway(argument)
    )
    if (away !== undefined)
      return Option.some({
        reason: `extraArgs hold ${flagOf(away)}: hermes would work elsewhere than where its work is checked`,
        remedy: 'name the place as the adapter\'s "workingDir", or set "workspace": "worktree"'
      })
    return settings.autonomy === "trusted-vm" ? Option.none() : bypassed(settings, env)
  },
  invoke: (plan) => {
    const { abilities, job, settings } = plan
    const model = Option.orElse(job.model, () => settings.model)
    const { providerId } = settings.provider
    const given = (flag: string, ...values: ReadonlyArray<string>) =>
      abilities.has(flag) ? [flag, ...values] : []
    const byFile = abilities.has("--query-file")
    const isolated = job.withheld.length > 0
    const invocation: Invocation = {
      args: [
        "chat",
        "-Q",
        ...(byFile ? ["--query-file", "-"] : [`--query=${job.prompt}`]),
        ...given("--format", "stream-json"),
        ...given("--source", "tool"),
        ...Option.match(model, { onNone: () => [], onSome: (name) => ["-m", name] }),
        ...(providerId === undefined ? [] : ["--provider", providerId]),
        ...(settings.autonomy === "trusted-vm" ? BYPASS : []),
        ...(isolated ? given("--safe-mode") : job.untrusted ? given("--ignore-rules") : []),
        ...settings.extraArgs
      ],
      stdin: byFile ? job.prompt : "",
      files: {}
    }
    const problem = problemOf(plan, Option.isSome(model) && providerId !== undefined)
    return problem === undefined ? invocation : { ...invocation, args: [], stdin: "", problem }
  },
  reader: (plan) =>
    plan.abilities.has("--format") ? recordReader(exposed(plan)) : plainReader(exposed(plan))
}

// What follows a flag may be a value that nobody should read in a health report.
const flagOf = (argument: string): string =>
  argument.startsWith("--")
    ? (argument.split("=", 1)[0] ?? "")
    : (/^-[Qvw]*[qzw]?/.exec(argument)?.[0] ?? "-")

const bypassed = (settings: AgentCliSettings, env: Readonly<Record<string, string>>) => {
  const remedy = 'remove it, or set "autonomy": "trusted-vm" where the whole machine may be the agent\'s'
  const flag = settings.extraArgs.find((argument) => among(argument, BYPASS))
  if (flag !== undefined)
    return Option.some({ reason: `extraArgs hold ${flagOf(flag)}, but autonomy is restricted`, remedy })
  return OFF.test(env.HERMES_YOLO_MODE ?? "")
    ? Option.none()
    : Option.some({ reason: "HERMES_YOLO_MODE is set, but autonomy is restricted", remedy })
}

const problemOf = ({ abilities, job }: Plan, placed: boolean): Invocation["problem"] => {
  if (job.withheld.length > 0) {
    const what = `the profile withholds ${job.withheld.join(", ")}`
    if (!abilities.has("--safe-mode"))
      return {
        reason: `${what}, which this hermes cannot do: it has no --safe-mode`,
        remedy: "run `hermes update`, or use another adapter for this profile"
      }
    // Without its configuration hermes would choose a provider by itself and send the prompt there.
    if (!placed)
      return {
        reason: `${what}: hermes then runs without its own configuration, and the adapter names no provider`,
        remedy: 'set "model" and "providerId" of the adapter'
      }
  }
  if (abilities.has("--query-file")) return undefined
  if (job.prompt.includes("\0"))
    return {
      reason:
        "the prompt holds a NUL character, which an argument cannot carry, and this hermes takes no other",
      remedy: "run `hermes update`: newer versions read the prompt from stdin (--query-file)"
    }
  const bytes = Buffer.byteLength(job.prompt)
  return bytes <= ARGUMENT_BYTES
    ? undefined
    : {
        reason: `the prompt has ${bytes} bytes, and this hermes takes it only as an argument of at most ${ARGUMENT_BYTES}`,
        remedy:
          "run `hermes update`: newer versions read it from stdin (--query-file); or lower the profile's max_prompt_chars"
      }
}

const exposed = ({ abilities, job }: Plan): ReadonlyArray<string> =>
  job.untrusted && job.withheld.length === 0 && !abilities.has("--ignore-rules")
    ? [
        "this hermes has no --ignore-rules: its memory, skills and the folder's AGENTS.md were in reach of untrusted input"
      ]
    : []
