import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { Effect, Either, Layer } from "effect"
import { ConfigInvalid, ConfigMissing, type FileProblem } from "../../src/config/ConfigError.ts"
import {
  chain,
  fileOf,
  isRemoved,
  merge,
  type Origin,
  plain,
  type SourceFile
} from "../../src/config/Extends.ts"
import { ConfigurationFile } from "../../src/config/FileSchema.ts"
import { type Finding, finding, judge, problemOf } from "../../src/config/Issues.ts"
import { absolute, configPath } from "../../src/config/Paths.ts"
import { namesWorkflow, references } from "../../src/config/References.ts"
import { unknownRemoved } from "../../src/config/Removed.ts"
import { settings, type Where } from "../../src/config/Resolve.ts"
import { RuntimeConfig, type Settings } from "../../src/config/RuntimeConfig.ts"
import { traced } from "../../src/domain/Traced.ts"
import type { Template } from "../../src/domain/WorkflowTemplate.ts"
import { readObject } from "./JsonFile.ts"
import { type NamedFiles, readNamed } from "./NamedFiles.ts"
import { judgeProfile } from "./ProfileFiles.ts"

/** The configuration file of this process: `--config`, else AGENT_RUNTIME_CONFIG, else `config/runtime.json`. */
export const pathOf = (option: string | undefined): string =>
  configPath({ option, variable: process.env.AGENT_RUNTIME_CONFIG, cwd: process.cwd(), home: homedir() })

/**
 * Reads a configuration file with its parents and profiles. Everything that is wrong in any of them is told
 * at once as ConfigInvalid; only when the file itself is not there, ConfigMissing. Makes and changes nothing.
 */
export const load = traced("ConfigFile.load")(function* (path: string) {
  const home = homedir()
  const configPath = absolute(process.cwd(), home, path)
  const files = yield* chain(configPath, home, (file, askedBy) => read(configPath, file, askedBy))
  const origin = merge(files)
  const where = { configPath, chain: files.map((file) => file.path), origin, home }
  const value = plain(origin)
  // Few have templates of their own, and what judges them is large.
  const workflows =
    value.workflows === undefined
      ? { byId: new Map<string, Template>(), problems: [] }
      : readNamed("workflows", "workflow template", yield* templateJudge, value, where)
  const builtIn = namesWorkflow(value) ? yield* builtInTemplates : []
  return yield* interpret(value, workflows, references(value, builtIn), where)
})

const templateJudge = Effect.map(
  Effect.promise(() => import("./TemplateFiles.ts")),
  (module) => module.judgeTemplate
)

const builtInTemplates = Effect.map(
  Effect.promise(() => import("../../src/workflow/Templates.ts")),
  ({ BUILT_IN }) => BUILT_IN.map(({ name }) => name)
)

/** The configuration for the programs, read once. */
export const layer = (path: string): Layer.Layer<RuntimeConfig, ConfigInvalid | ConfigMissing> =>
  Layer.effect(RuntimeConfig, load(path))

const interpret = (
  value: Readonly<Record<string, unknown>>,
  workflows: NamedFiles<Template>,
  named: ReadonlyArray<Finding>,
  where: Where
): Effect.Effect<Settings, ConfigInvalid> => {
  const decoded = judge(ConfigurationFile)(value)
  const profiles = readNamed("profiles", "profile", judgeProfile, value, where)
  const findings = [
    ...(Either.isLeft(decoded) ? decoded.left : []),
    ...unknownRemoved(where.origin, value),
    ...named
  ]
  const problems = [
    ...findings.map((found) => inFile(where.origin, found)),
    ...profiles.problems,
    ...workflows.problems
  ]
  const fail = (all: ReadonlyArray<FileProblem>) =>
    Effect.fail(new ConfigInvalid({ path: where.configPath, problems: all }))
  if (Either.isLeft(decoded) || problems.length > 0) return fail(problems)
  const found = settings(decoded.right, { profiles: profiles.byId, workflows: workflows.byId }, where)
  const places = placeFindings(found).map((one) => inFile(where.origin, one))
  return places.length > 0 ? fail(places) : Effect.succeed(found)
}

/** The database is no file for a lock to be written into. */
const placeFindings = (config: Settings): ReadonlyArray<Finding> =>
  config.lockPath === config.dbPath
    ? [finding("rule", ["lockPath"], "it is the path of the database", "a file of its own", "leave it out")]
    : []

/** A key that null removed is missing because of that null. */
const inFile = (origin: Origin, found: Finding): FileProblem => ({
  file: fileOf(origin, found.at),
  ...problemOf(found),
  ...(found.kind === "missing" && isRemoved(origin, found.at) ? { found: "null, which removes the key" } : {})
})

const read = (
  configPath: string,
  path: string,
  askedBy: SourceFile | undefined
): Effect.Effect<SourceFile, ConfigInvalid | ConfigMissing> => {
  const value = readObject(path)
  if (Either.isRight(value)) return Effect.succeed({ path, value: value.right })
  const { astray, problems } = value.left
  if (askedBy !== undefined && astray !== undefined)
    return new ConfigInvalid({ path: configPath, problems: [noParent(astray, askedBy)] })
  return problems.length > 0
    ? new ConfigInvalid({ path: configPath, problems })
    : new ConfigMissing({ path, example: exampleInReach() })
}

/** Where the example lies: below the present folder, or beside the program. */
const exampleInReach = (): string | undefined =>
  [process.cwd(), dirname(dirname(process.execPath))]
    .map((folder) => join(folder, "config", "runtime.example.json"))
    .find((place) => existsSync(place))

const noParent = (why: string, child: SourceFile): FileProblem => ({
  file: child.path,
  ...problemOf(
    finding(
      "unfit",
      ["extends"],
      JSON.stringify(child.value.extends),
      "the path of a configuration file",
      why
    )
  )
})
