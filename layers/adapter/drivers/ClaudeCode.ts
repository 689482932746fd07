import { Option } from "effect"
import type { AgentCliSettings } from "../../../src/config/AdapterSettings.ts"
import { outcomeSchema } from "../../../src/context/OutcomeSchema.ts"
import { usualLadder } from "../Ladder.ts"
import { NOT_AS_ROOT } from "./ClaudeCodeEnd.ts"
import { streamReader } from "./ClaudeCodeReader.ts"
import type { Sessions } from "./ClaudeCodeUsage.ts"
import type { Driver, Invocation, Plan } from "./Driver.ts"

const BYPASS = [
  "--allow-dangerously-skip-permissions",
  "--dangerously-skip-permissions",
  "--permission-mode",
  "bypassPermissions"
]

const SCHEMA = JSON.stringify(outcomeSchema)

/** Flags by which an earlier session goes on, the first by its id. */
const RESUME = ["--resume", "-r"]
const CONTINUE = ["--continue", "-c", "--fork-session", "--from-pr"]

/** With these, and by its own id, a later run is to go on with this one. */
const SESSION = [...RESUME, ...CONTINUE, "--session-id"]

/** What the runtime sets itself, or what makes claude speak another protocol, or none. */
const OURS = ["--output-format", "--input-format", "--json-schema", "--replay-user-messages", "--"]
const ELSEWHERE = [
  "--background",
  "--bg",
  "--cloud",
  "--desktop",
  "--environment",
  "--remote-control",
  "--teleport",
  "--tmux",
  "--help",
  "-h",
  "--version",
  "-v"
]
const AWAY = ["--worktree", "-w"]

/** The only variables in which claude-code looks for a key. */
const KEYS = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"]

/**
 * claude-code in print mode, its events as JSON lines, the prompt by stdin, the answer by the outcome's schema.
 * Facts: claude-code 2.1.330, run against a stub of its model server.
 */
export const claudeCode: Driver = {
  env: ({ provider }, scratch) => ({
    // Else it leaves a folder for each working directory below /tmp, which users of one host would share.
    ...Option.match(scratch, { onNone: () => ({}), onSome: (folder) => ({ CLAUDE_CODE_TMPDIR: folder }) }),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1",
    // Its default is 10, minutes of waiting even for a wrong key: the back-off is the runtime's. Two get over a
    // hiccup within 2 s, and with none it would not tell how long the server asks to wait.
    CLAUDE_CODE_MAX_RETRIES: "2",
    ...(provider.providerBaseUrl === undefined
      ? {}
      : // It appends /v1/messages itself.
        { ANTHROPIC_BASE_URL: provider.providerBaseUrl.replace(/\/(v1\/?)?$/, "") })
  }),
  bypass: BYPASS,
  // After a SIGINT it still tells what the run used; it is never taken for a success.
  ladder: [{ signal: "SIGINT", wait: "2 seconds" }, ...usualLadder],
  examine: Option.none(),
  objection: (settings, env) =>
    Option.fromNullable(
      objectionToArguments(settings) ?? objectionToRights(settings, env) ?? objectionToProvider(settings, env)
    ),
  invoke: (plan) => {
    const { job, settings } = plan
    const { extraArgs } = settings
    const model = Option.orElse(job.model, () => settings.model)
    const bare = job.untrusted || job.withheld.length > 0
    const invocation: Invocation = {
      args: [
        "-p",
        "--output-format",
        "stream-json",
        // Without it there are no lines of JSON.
        "--verbose",
        "--disable-slash-commands",
        "--json-schema",
        SCHEMA,
        ...Option.match(model, { onNone: () => [], onSome: (name) => ["--model", name] }),
        ...Option.match(settings.settingsFile, {
          onNone: () => [],
          onSome: ({ path }) => ["--settings", path]
        }),
        ...(names(extraArgs, SESSION) === undefined ? ["--no-session-persistence"] : []),
        ...rights(plan),
        ...extraArgs,
        // Behind extraArgs: where a flag is given twice, the last one counts.
        ...(bare ? ["--strict-mcp-config"] : []),
        // Neither CLAUDE.md or AGENTS.md of the working directory, nor settings and hooks in files that nobody named.
        ...(job.untrusted ? ["--setting-sources", ""] : [])
      ],
      stdin: job.prompt,
      files: {}
    }
    const problem = bare ? problemOf(plan) : undefined
    return problem === undefined ? invocation : { ...invocation, args: [], stdin: "", problem }
  },
  reader: ({ settings }) => streamReader(sessionsOf(settings.extraArgs))
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const sessionsOf = (args: ReadonlyArray<string>): Sessions => {
  const at = args.findIndex((argument) => names([argument], RESUME) !== undefined)
  const [flag, value] = at === -1 ? [] : args.slice(at, at + 2)
  return {
    kept: names(args, SESSION) !== undefined,
    resumed: names(args, [...RESUME, ...CONTINUE]) !== undefined,
    forked: names(args, ["--fork-session"]) !== undefined,
    named:
      [flag, value].flatMap((word) => UUID.exec(word ?? "")?.[0] ?? []).map(Option.some)[0] ?? Option.none()
  }
}

/**
 * Restricted runs get `dontAsk`, which refuses what no rule allows, unless the adapter chooses another mode by
 * extraArgs: a `defaultMode` in some settings file, the workspace's own included, must not lift it.
 */
const rights = ({ env, settings: { autonomy, extraArgs } }: Plan): ReadonlyArray<string> => {
  if (autonomy === "trusted-vm") return BYPASS
  // An agent writes its artifacts itself, and the artifact root is seldom its working directory.
  const root = env.AGENT_RUNTIME_ARTIFACT_DIR
  return [
    ...(root === undefined ? [] : [`--add-dir=${root}`]),
    ...(names(extraArgs, ["--permission-mode"]) === undefined ? ["--permission-mode", "dontAsk"] : [])
  ]
}

interface Wrong {
  readonly reason: string
  readonly remedy: string
}

const names = (args: ReadonlyArray<string>, flags: ReadonlyArray<string>): string | undefined =>
  args.map((argument) => argument.split("=", 1)[0] ?? "").find((flag) => flags.includes(flag))

const objectionToArguments = ({ extraArgs }: AgentCliSettings): Wrong | undefined => {
  const ours = names(extraArgs, OURS)
  if (ours !== undefined)
    return {
      reason: `extraArgs hold ${ours}, which the runtime sets itself or cannot do with`,
      remedy: "remove it from the adapter's extraArgs"
    }
  const elsewhere = names(extraArgs, ELSEWHERE)
  if (elsewhere !== undefined)
    return {
      reason: `extraArgs hold ${elsewhere}, with which claude-code does not run the task here and print its result`,
      remedy: "remove it from the adapter's extraArgs"
    }
  const away = names(extraArgs, AWAY)
  if (away !== undefined)
    return {
      reason: `extraArgs hold ${away}: claude-code would work elsewhere than where its work is checked`,
      remedy: 'name the place as the adapter\'s "workingDir", or set "workspace": "worktree"'
    }
  const [first] = extraArgs
  return first === undefined || first.startsWith("-")
    ? undefined
    : {
        reason: "extraArgs begin with a word that is no flag: claude-code would take it for a prompt",
        remedy: "remove it from the adapter's extraArgs, or put its flag before it"
      }
}

const objectionToRights = (
  { autonomy, extraArgs }: AgentCliSettings,
  env: Readonly<Record<string, string>>
): Wrong | undefined => {
  if ((env.CLAUDE_CODE_DISABLE_FILE_MENTIONS ?? "1") !== "1")
    return {
      reason:
        "CLAUDE_CODE_DISABLE_FILE_MENTIONS is not 1: words of a prompt that begin with @ would become files",
      remedy: "remove it from the adapter's env"
    }
  if (autonomy === "restricted") {
    const flag =
      names(extraArgs, BYPASS.slice(0, 2)) ??
      extraArgs.find((argument) => argument.split("=").at(-1) === "bypassPermissions")
    return flag === undefined
      ? undefined
      : {
          reason: `extraArgs hold ${flag}, but autonomy is restricted`,
          remedy: 'remove it, or set "autonomy": "trusted-vm" where the whole machine may be the agent\'s'
        }
  }
  const mode = names(extraArgs, ["--permission-mode"])
  if (mode !== undefined)
    return {
      reason: `extraArgs hold ${mode}, but autonomy is trusted-vm, which sets it itself`,
      remedy: 'remove it, or set "autonomy": "restricted"'
    }
  return process.getuid?.() !== 0 || env.IS_SANDBOX === "1" || env.CLAUDE_CODE_BUBBLEWRAP === "1"
    ? undefined
    : {
        reason: "claude-code refuses to run as root with autonomy trusted-vm",
        remedy: NOT_AS_ROOT
      }
}

const objectionToProvider = (
  { provider }: AgentCliSettings,
  env: Readonly<Record<string, string>>
): Wrong | undefined => {
  const { providerEnvKey } = provider
  if (providerEnvKey === undefined) return undefined
  if (!KEYS.includes(providerEnvKey))
    return {
      reason: `providerEnvKey is ${providerEnvKey}, where claude-code does not look for a key`,
      remedy: `put the key into the adapter's env as ${KEYS.join(" (x-api-key) or ")} (Bearer), and name that`
    }
  return (env[providerEnvKey] ?? "") !== ""
    ? undefined
    : {
        reason: `providerEnvKey is ${providerEnvKey}, which is not in the child's environment`,
        remedy: "put it into the adapter's env or envFile"
      }
}

/** Flags that bring MCP servers or plugins, which `--strict-mcp-config` does not hold back. */
const INTEGRATIONS = ["--mcp-config", "--plugin-dir", "--plugin-url", "--chrome", "--ide"]

const problemOf = ({ job, settings }: Plan): Wrong | undefined => {
  const flag = names(settings.extraArgs, INTEGRATIONS)
  if (flag === undefined) return undefined
  return {
    reason:
      job.withheld.length > 0
        ? `the profile withholds ${job.withheld.join(", ")}, but the adapter's extraArgs hold ${flag}`
        : `the input is untrusted, but the adapter's extraArgs hold ${flag}`,
    remedy: "use an adapter without it for such tasks"
  }
}
