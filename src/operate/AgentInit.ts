import { Effect, Option, Schema } from "effect"
import { type HostFile, HostFiles, type Template } from "../artifact/HostFiles.ts"
import { absolute, folderOf } from "../config/Paths.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import { agentName, ChangedFile, carryOut, listed, type Planned, plan, shellWord, told } from "./HostSetup.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"
import { hostConfig, type Mode, planUnits, systemctl } from "./Units.ts"

/** Where the templates expect the example configuration, from the folder of a package. */
const EXAMPLE = "../../config/runtime.example.json"
/** Where it lies when the package stands alone. */
const OWN_EXAMPLE = "base/runtime.json"

interface Place {
  readonly agent: string
  /** The folder of the package, absolute. */
  readonly folder: string
  readonly port: Option.Option<number>
}

const file = (path: string, text: string, rights: HostFile["rights"] = "everybody"): HostFile => ({
  path,
  text,
  rights
})

/** What the templates leave open beside the agent. */
interface Open {
  readonly program: string
  /** The host override. */
  readonly config: string
}

/** Puts the words of an agent in the places that the templates leave open. */
const filled = ({ agent, folder }: Place, open: Open, { name, text }: Template): Template => {
  const words: Readonly<Record<string, string>> = {
    agent,
    package: folder,
    programs: folderOf(open.program),
    config: open.config
  }
  // A path means itself in JSON, and in the commands of a page.
  const asText = name.endsWith(".json") ? (word: string) => JSON.stringify(word).slice(1, -1) : shellWord
  const fill = (from: string) =>
    from.replace(/\{\{(\w+)\}\}/g, (whole, word: string) => {
      const value = words[word]
      return value === undefined ? whole : asText(value)
    })
  return { name: fill(name), text: fill(text) }
}

/** The package's files; where no example configuration is in reach, one of its own comes along. */
const packageFiles = (at: Place, open: Open) =>
  Effect.gen(function* () {
    const { folder } = at
    const files = yield* HostFiles
    const example = yield* Effect.orElseSucceed(files.read(absolute(folder, "/", EXAMPLE)), Option.none)
    const own = files.agentPackage.map((template) => filled(at, open, template))
    if (Option.isSome(example)) return own.map(({ name, text }) => file(`${folder}/${name}`, text))
    return [
      ...own.map(({ name, text }) => file(`${folder}/${name}`, text.replaceAll(EXAMPLE, OWN_EXAMPLE))),
      ...files.example.map(({ name, text }) =>
        file(`${folder}/base/${name}`, text, name.endsWith(".sh") ? "program" : "everybody")
      )
    ]
  })

/** What is of this host alone stands outside of the tree, where no synchronisation reaches it. */
const overrideFile = ({ agent, folder, port }: Place) =>
  Effect.map(hostConfig("user", agent), (path) => {
    const value = {
      extends: `${folder}/runtime.${agent}.json`,
      ...Option.match(port, { onNone: () => ({}), onSome: (given) => ({ http: { port: given } }) })
    }
    return file(path, `${JSON.stringify(value, null, 2)}\n`, "owner")
  })

const refuseExisting = (planned: ReadonlyArray<Planned>) => {
  const there = planned.filter(({ change }) => change !== "created").map((one) => one.file.path)
  return there.length === 0
    ? Effect.void
    : new Refusal({
        code: "file_exists",
        message: `${listed(there)} ${there.length === 1 ? "is" : "are"} there already; nothing was written`,
        hint: "choose another name or --dir, or move away what is there"
      })
}

/** Units are shared by all agents of this user: what is there stays as it is. */
const unitsOf = (mode: Mode) =>
  Effect.map(planUnits({ scope: "user", mode, program: Option.none() }), ({ planned, program }) => ({
    program,
    units: planned.map((one): Planned => (one.change === "replaced" ? { ...one, change: "kept" } : one))
  }))

/**
 * Makes the package of a new agent, its host override and its backlog, and the user units where they are missing.
 * When any file of the agent is there already it is refused, and nothing is written; nor is it with `dryRun`.
 */
export const agentInit = operation({
  name: "agent.init",
  role: "operate",
  output: wireStruct({
    agent: Schema.String,
    dryRun: Schema.Boolean,
    package: Schema.String,
    config: Schema.String,
    files: Schema.Array(ChangedFile),
    next: Schema.Array(Schema.String)
  }),
  run: traced("AgentInit.init")(function* (input: {
    readonly name: string
    readonly dir: Option.Option<string>
    readonly port: Option.Option<number>
    readonly mode: Mode
    readonly dryRun: boolean
  }) {
    const agent = yield* agentName(input.name)
    const { place } = yield* HostFiles
    const dir = Option.getOrElse(input.dir, () => `deploy/${agent}`)
    const at: Place = { agent, folder: absolute(place.cwd, place.home, dir), port: input.port }
    const { program, units } = yield* unitsOf(input.mode)
    const override = yield* overrideFile(at)
    const own = yield* Effect.forEach(
      [...(yield* packageFiles(at, { program, config: override.path })), override],
      plan
    )
    yield* refuseExisting(own)
    const all = [...own, ...units]
    if (!input.dryRun) yield* carryOut(all)
    const run = (words: string) => `${shellWord(program)} ${words} --config ${shellWord(override.path)}`
    return {
      agent,
      dryRun: input.dryRun,
      package: at.folder,
      config: override.path,
      files: told(all),
      next: [
        run("healthcheck"),
        run(`seed-backlog --file ${shellWord(`${at.folder}/backlog.json`)}`),
        run("run-once"),
        ...systemctl({ scope: "user", mode: input.mode }, agent)
      ]
    }
  })
})
