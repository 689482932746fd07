import { Option } from "effect"
import { strictOutcomeSchema } from "../../../src/context/OutcomeSchema.ts"
import { usualLadder } from "../Ladder.ts"
import { configured, homeOf, mcpServersOff, providerWords, set, table, text } from "./CodexConfig.ts"
import { objection } from "./CodexObjection.ts"
import { codexReader } from "./CodexOutput.ts"
import { earlierUsage } from "./CodexThread.ts"
import type { Driver, Invocation, Plan } from "./Driver.ts"

const BYPASS = ["--dangerously-bypass-approvals-and-sandbox"]
const SCHEMA_FILE = "outcome.schema.json"

/** codex takes no more characters by stdin (0.169.0: "Input exceeds the maximum length"). */
export const MOST_CHARACTERS = 1_048_576

/**
 * OpenAI's codex: `codex exec --json`, one turn, the prompt by stdin. As found with codex-cli 0.169.0.
 * `settingsFile` is either `config.toml` of a folder that becomes CODEX_HOME, or `NAME.config.toml` in
 * CODEX_HOME, which is codex's own profile NAME.
 */
export const codex: Driver = {
  env: (settings) =>
    Option.match(configured(settings), {
      onNone: () => ({}),
      onSome: ({ home, profile }) => (Option.isNone(profile) ? { CODEX_HOME: home } : {})
    }),
  bypass: BYPASS,
  ladder: usualLadder,
  examine: Option.none(),
  objection,
  invoke: (plan) => {
    const { job, settings } = plan
    const model = Option.orElse(job.model, () => settings.model)
    const profile = Option.flatMap(configured(settings), (file) => file.profile)
    const shaped = job.freeFormResult !== true
    const invocation: Invocation = {
      args: [
        "exec",
        "--json",
        "--skip-git-repo-check",
        "--ephemeral",
        "--cd",
        plan.cwd,
        ...sandbox(plan),
        ...Option.match(profile, { onNone: () => [], onSome: (name) => ["-p", name] }),
        ...Option.match(model, { onNone: () => [], onSome: (name) => ["-m", name] }),
        ...providerWords(settings),
        ...QUIET,
        ...shellEnvironment(plan),
        ...distrust(plan),
        ...(shaped ? ["--output-schema", `${plan.scratch}/${SCHEMA_FILE}`] : []),
        ...settings.extraArgs,
        "-"
      ],
      stdin: job.prompt,
      files: shaped ? { [SCHEMA_FILE]: JSON.stringify(strictOutcomeSchema) } : {}
    }
    // Code units are at least as many as the characters that codex counts.
    const tooLong = job.prompt.length > MOST_CHARACTERS && Array.from(job.prompt).length > MOST_CHARACTERS
    return tooLong ? { ...invocation, problem: LONG_PROMPT } : invocation
  },
  reader: (plan) => codexReader(earlierUsage(plan.settings.extraArgs, homeOf(plan.env)))
}

const LONG_PROMPT = {
  reason: `the prompt has more than ${MOST_CHARACTERS} characters, which codex does not take`,
  remedy: "lower context_policy.max_prompt_chars of the profile"
}

// Telemetry and the sync of plugins cost seconds behind a firewall; a provider that is down is retried for
// ever without the last one.
const QUIET = [
  ...set("analytics.enabled", "false"),
  ...set("check_for_update_on_startup", "false"),
  "--disable",
  "plugins",
  "--disable",
  "unbounded_connection_retries"
]

// What an agent makes belongs below the artifact root, which mostly lies outside of its working directory.
const sandbox = ({ env, settings }: Plan): ReadonlyArray<string> => {
  if (settings.autonomy === "trusted-vm") return BYPASS
  const mode = Option.getOrElse(settings.sandbox, () => "workspace-write")
  const root = env.AGENT_RUNTIME_ARTIFACT_DIR
  return mode === "workspace-write" && root !== undefined
    ? ["--sandbox", mode, "--add-dir", root]
    : ["--sandbox", mode]
}

// The marker of the attempt has to reach the model's shell, so that what it starts can be found and ended:
// secrets are taken out by name, nothing else is (`inherit = "core"` would take the marker, too). codex's own
// default patterns take what `inheritEnv` and the host's files call a key, a secret or a token.
const shellEnvironment = ({ secretNames = [], settings }: Plan): ReadonlyArray<string> => {
  const { providerEnvKey } = settings.provider
  const names = [...new Set([...secretNames, ...(providerEnvKey === undefined ? [] : [providerEnvKey])])]
  return [
    ...set("shell_environment_policy.ignore_default_excludes", "false"),
    ...(names.length === 0 ? [] : set("shell_environment_policy.exclude", `[${names.map(text).join(",")}]`))
  ]
}

// Instructions in a working directory that others write to are not obeyed for others' input; tools beyond the
// shell are off for it, and where the profile withholds an integration.
const distrust = ({ env, job, settings }: Plan): ReadonlyArray<string> => {
  const servers = mcpServersOff(settings, homeOf(env))
  const toolsOff = ["--disable", "apps", ...(servers.length === 0 ? [] : set("mcp_servers", table(servers)))]
  return [
    ...(job.untrusted ? set("project_doc_max_bytes", "0") : []),
    ...(job.untrusted || job.withheld.length > 0 ? toolsOff : [])
  ]
}
