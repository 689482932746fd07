import { Schema } from "effect"
import { ConfiguredId, integer, text } from "../domain/Task.ts"
import { AdapterFile } from "./AdapterSchema.ts"
import { BUDGET, BUDGET_RULES } from "./BudgetRules.ts"
import { FilePath, key, needed, number, positive, shaped, Wait } from "./Fields.ts"
import { has, IDENTITY, oneNameEach } from "./TwoNames.ts"

const byId = <A, I>(value: Schema.Schema<A, I>) => Schema.Record({ key: ConfiguredId, value })

const TokenFile = Schema.Struct({
  name: needed(text(100, ""), "Who holds it; stands as the actor in the history"),
  role: needed(Schema.Literal("read", "operate"), "What it allows"),
  tokenFile: key(FilePath, "A file that holds the token and nothing else"),
  sha256: key(shaped(/^[0-9a-fA-F]{64}$/, "64 hexadecimal digits"), "The token's SHA-256, in hex")
})
  .pipe(
    Schema.filter((token) =>
      (token.tokenFile === undefined) === (token.sha256 === undefined)
        ? `it has ${token.tokenFile === undefined ? "neither" : "both"} \`tokenFile\` ${token.tokenFile === undefined ? "nor" : "and"} \`sha256\``
        : true
    )
  )
  .annotations({
    description: "a token with a name, a role and either a tokenFile or a sha256",
    jsonSchema: { allOf: [{ oneOf: [has("tokenFile"), has("sha256")] }] }
  })

const BudgetFile = Schema.Struct({
  id: needed(ConfiguredId, "Its name in budget-show and budget-grant"),
  per: needed(Schema.Literal("adapter", "profile", "workflow", "all"), "What is counted together"),
  match: key(ConfiguredId, "Only this adapter, profile or workflow; each of them on its own by default"),
  window: needed(Schema.Literal("day", "task"), "When counting starts again"),
  usd: key(positive(1_000_000_000, " of US dollars"), "The limit in US dollars"),
  tokens: key(integer(1), "The limit in tokens, in and out"),
  attempts: key(integer(1), "The limit in attempts"),
  reserve: key(
    number(0, 1_000_000_000_000, ""),
    "What a claim sets aside until its attempt ends; by default the mean of the last 20 attempts, else a tenth; beside attempts always 1"
  )
}).annotations({ description: BUDGET, jsonSchema: BUDGET_RULES })

const Days = number(0.01, 36_500, " of days")

const Identity = Schema.Struct({
  identityPath: key(FilePath, "The agent's IDENTITY.md"),
  soulPath: key(FilePath, "The older name of identityPath"),
  purposePath: key(FilePath, "The agent's PURPOSE.md")
}).annotations(oneNameEach(IDENTITY))

const Dispatch = Schema.Struct({
  concurrency: key(integer(1, 1_000), "Attempts that run at once; 1 by default"),
  drainSeconds: key(
    number(0, 86_400, " of seconds"),
    "How long a stopping dispatcher waits for running attempts; 30 by default"
  ),
  adapterConcurrency: key(
    byId(integer(1, 1_000)),
    "Attempts that one adapter runs at once; no limit by default"
  ),
  untrustedAdapters: key(
    Schema.Array(ConfiguredId),
    "The adapters that may run untrusted tasks; all by default"
  )
})

const Http = Schema.Struct({
  host: key(
    shaped(/^[^\s/]{1,255}$/, "a host name or an address without port"),
    "The address to listen on; 127.0.0.1 by default"
  ),
  port: key(integer(0, 65_535), "The port to listen on, 0 for any that is free; 4314 by default"),
  tokens: key(Schema.Array(TokenFile), "Who may use the API from other hosts"),
  allowedHosts: key(
    Schema.Array(shaped(/^[^\s:/]{1,255}$/, "a host name without port")),
    "Names by which this server may be called, beside its addresses and localhost"
  ),
  allowedOrigins: key(
    Schema.Array(shaped(/^https?:\/\/[^\s/]+$/, "an origin such as https://ops.example.com, without a path")),
    "Pages of other servers that may call the API"
  ),
  loopbackRole: key(
    Schema.Literal("operate", "read", "none"),
    "What callers of a loopback address may do without a token; operate by default"
  )
})

const Retention = Schema.Struct({
  completedDays: key(Days, "How long finished tasks are kept; for ever by default"),
  eventDays: key(Days, "How long run events are kept; for ever by default"),
  artifactDays: key(Days, "How long evidence of finished attempts is kept; for ever by default")
})

/** The configuration file, its parents merged in (SPEC.md section 2). Unknown keys are errors. */
export const ConfigurationFile = Schema.Struct({
  $schema: key(Schema.Unknown.annotations({ jsonSchema: { title: "any value" } }), "Ignored; for editors"),
  extends: key(FilePath, "A parent file; keys of this one win"),
  runtimeName: needed(text(200, ""), "The runtime's name"),
  runtimePolicy: needed(text(100_000, ""), "What the agent is told before everything else"),
  stateDir: key(FilePath, "The state folder; `state` beside this file by default"),
  logDir: key(FilePath, "Logs; `logs` in the state folder by default"),
  artifactDir: key(FilePath, "The artifact root; `artifacts` in the state folder by default"),
  dbPath: key(FilePath, "The database; `runtime.db` in the state folder by default"),
  lockPath: key(FilePath, "The dispatch lock; `dispatch.lock` in the state folder by default"),
  defaultProfile: needed(ConfiguredId, "The profile of tasks that request none"),
  defaultAdapter: needed(ConfiguredId, "The adapter of tasks that request none and whose profile names none"),
  maxAttempts: key(integer(1), "Attempts of a task that names no number; 3 by default"),
  retryBackoffSeconds: key(Wait, "Seconds before the second attempt; 60 by default"),
  profiles: needed(byId(FilePath), "Profile files by id"),
  adapters: needed(byId(AdapterFile), "Adapters by id"),
  workflows: key(byId(FilePath), "Workflow template files by id, beside the built-in ones"),
  identity: key(Identity, "Who the agent is"),
  skillDirs: key(Schema.Array(FilePath), "Folders in which a skill is a folder with a SKILL.md"),
  dispatch: key(Dispatch, "How work is started"),
  http: key(Http, "The LAN API and the operator page"),
  budgets: key(Schema.Array(BudgetFile), "Limits of spending"),
  retention: key(Retention, "What `prune` removes"),
  durability: key(
    Schema.Literal("full", "normal"),
    "Whether an acknowledged write survives power loss (full, the default)"
  )
})
export type ConfigurationFile = typeof ConfigurationFile.Type
