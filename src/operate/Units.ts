import { Effect, Either, Option, Schema } from "effect"
import { HostFiles, type Template } from "../artifact/HostFiles.ts"
import { documentationPath, execStart, isFirstWord } from "../artifact/UnitProgram.ts"
import { absolute, folderOf } from "../config/Paths.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import { agentName, ChangedFile, carryOut, listed, type Planned, plan, shellWord, told } from "./HostSetup.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

export type Scope = "user" | "system"
export type Mode = "resident" | "timer"

/** The program that the templates name, by scope; `%h` is the home folder of the user. */
const PROGRAM = {
  user: "%h/agent-runtime/dist/agent-runtime",
  system: "/opt/agent-runtime/dist/agent-runtime"
}
const SYSTEM_USER = "agent-runtime"
const SYSTEM_HOME = "/var/lib/agent-runtime"
const SYSTEM_UNITS = "/etc/systemd/system"

export interface Wanted {
  readonly scope: Scope
  readonly mode: Mode
  readonly program: Option.Option<string>
}

/** What the units run: what was asked for, else the program that runs now where the units can reach it. */
const programOf = ({ program, scope }: Wanted) =>
  Effect.gen(function* () {
    const { place } = yield* HostFiles
    if (Option.isSome(program)) return absolute(place.cwd, place.home, program.value)
    // The hardened units see no home folder.
    const running = Option.filter(
      place.program,
      (path) => scope === "user" || !/^\/(home|root|run\/user|tmp)\//.test(path)
    )
    const standard = PROGRAM[scope].replace("%h", place.home)
    return Option.getOrElse(running, () => standard)
  })

/** The units name the program and their page by `%h` where that is the place, and systemd takes it from there. */
const rendered = (template: Template, { home, line, program, scope }: Rendering): string => {
  const page = documentationPath(home)
  const text =
    page === home
      ? template.text
      : template.text.replaceAll("Documentation=file:%h/", () => `Documentation=file:${page}/`)
  return program === PROGRAM[scope].replace("%h", home) && isFirstWord(program)
    ? text
    : text.replaceAll(`ExecStart=${PROGRAM[scope]}`, () => `ExecStart=${line}`)
}

interface Rendering {
  readonly scope: Scope
  readonly home: string
  readonly program: string
  /** The program as it stands in a line of the unit. */
  readonly line: string
}

/** The folder of the units. */
const unitFolder = (scope: Scope) =>
  Effect.map(HostFiles, ({ place }) =>
    scope === "system" ? SYSTEM_UNITS : `${place.configHome}/systemd/user`
  )

/** The units as they should be; where other texts are there, `replaced`. */
export const planUnits = traced("Units.plan")(function* (wanted: Wanted) {
  const files = yield* HostFiles
  const folder = yield* unitFolder(wanted.scope)
  const program = yield* programOf(wanted)
  if (!files.place.home.startsWith("/"))
    return yield* new Refusal({
      code: "home_invalid",
      message: `HOME is ${JSON.stringify(files.place.home)}, which is no absolute path`,
      hint: "set HOME to the home folder of this user",
      exitCode: 2
    })
  const line = Option.getOrUndefined(execStart(program))
  if (line === undefined)
    return yield* new Refusal({
      code: "program_invalid",
      message: `${JSON.stringify(program)} cannot stand in a unit: systemd runs no program whose path has a control character, or a = beside a quotation mark, backslash or tab`,
      hint: "give the program another path (--program FILE)",
      exitCode: 2
    })
  yield* refuseOther(program)
  const planned = yield* Effect.forEach(files.units(wanted.scope), (template) =>
    plan({
      path: `${folder}/${template.name}`,
      text: rendered(template, { scope: wanted.scope, home: files.place.home, program, line }),
      rights: "everybody"
    })
  )
  return { folder, program, planned }
})

/** A place where nothing is yet is for the program that is put there; what else is there would be lost to it. */
const refuseOther = (program: string) =>
  Effect.gen(function* () {
    const files = yield* HostFiles
    if (yield* files.isProgram(program)) return
    const found = yield* Effect.either(files.read(program))
    if (Either.isRight(found) && Option.isNone(found.right)) return
    // A binary is longer than what is read of texts, which is no reason of its own.
    const why = Either.isLeft(found) && /^E[A-Z]+$/.test(found.left.reason) ? ` (${found.left.reason})` : ""
    return yield* new Refusal({
      code: "program_invalid",
      message: `${program} is no program that this user can run${why}`,
      hint: "name the binary (--program FILE), or make it one that can be run: chmod +x",
      exitCode: 2
    })
  })

/** The file that the units hand to the program as its configuration. */
export const hostConfig = (scope: Scope, agent: string) =>
  Effect.map(HostFiles, ({ place }) => {
    const folder = scope === "system" ? "/etc" : place.configHome
    return `${folder}/agent-runtime/runtime.${agent}.host.json`
  })

/** The commands that make systemd run an agent, in their order. */
export const systemctl = ({ mode, scope }: Pick<Wanted, "mode" | "scope">, agent: string) => {
  const ctl = scope === "user" ? "systemctl --user" : "systemctl"
  const unit = (kind: string) => `agent-runtime-${kind.replace("@", `@${agent}`)}`
  const [run, other] = [unit("dispatch@.service"), unit("dispatch@.timer")]
  const [chosen, left] = mode === "resident" ? [run, other] : [other, run]
  return [
    `${ctl} daemon-reload`,
    // Enabled both, they would turn each other off when the host starts.
    `${ctl} disable ${left}`,
    `${ctl} enable --now ${unit("operator@.service")} ${chosen}`,
    ...(scope === "user" ? ["loginctl enable-linger"] : [])
  ]
}

const NAME = "NAME"

/** What puts the program in the place that the units name, where it is not there: it may come after them. */
const programPreparation = (program: string) =>
  Effect.gen(function* () {
    const { isProgram, place } = yield* HostFiles
    if (yield* isProgram(program)) return []
    const running = Option.getOrElse(place.program, () => "PATH-OF-agent-runtime")
    return [`install -D -m 0755 ${shellWord(running)} ${shellWord(program)}`]
  })

/** What root does once for the units of the system, as far as it is not done. */
const systemPreparation = (agent: string, program: string) =>
  Effect.gen(function* () {
    const files = yield* HostFiles
    const users = yield* Effect.orElseSucceed(files.read("/etc/passwd"), Option.none)
    const hasUser = Option.exists(users, (text) => `\n${text}`.includes(`\n${SYSTEM_USER}:`))
    const config = yield* hostConfig("system", agent)
    const hasConfig = Option.isSome(yield* Effect.orElseSucceed(files.read(config), Option.none))
    // The package beside the program: the home folder that `~` means is another one there.
    const own = JSON.stringify({
      extends: `${folderOf(folderOf(program))}/deploy/${agent}/runtime.${agent}.json`
    })
    return [
      ...(hasUser
        ? []
        : [
            `useradd --system --user-group --home-dir ${SYSTEM_HOME} --shell /usr/sbin/nologin ${SYSTEM_USER}`
          ]),
      ...(hasConfig
        ? []
        : [
            `install -d -m 0750 -g ${SYSTEM_USER} /etc/agent-runtime`,
            `printf '%s\\n' ${shellWord(own)} | install -m 0640 -g ${SYSTEM_USER} /dev/stdin ${config}`
          ])
    ]
  })

/**
 * Puts the systemd units in their place, all or none. Units that are there with another text are refused, unless
 * `force` is set; `dryRun` writes nothing. Answers the commands that start an agent with them.
 */
export const installUnits = operation({
  name: "units.install",
  role: "operate",
  output: wireStruct({
    scope: Schema.Literal("user", "system"),
    mode: Schema.Literal("resident", "timer"),
    agent: Schema.NullOr(Schema.String),
    dryRun: Schema.Boolean,
    program: Schema.String,
    units: Schema.Array(ChangedFile),
    next: Schema.Array(Schema.String)
  }),
  run: traced("Units.install")(function* (
    input: Wanted & {
      readonly agent: Option.Option<string>
      readonly dryRun: boolean
      readonly force: boolean
    }
  ) {
    const agent = yield* Effect.transposeMapOption(input.agent, agentName)
    const { planned, program } = yield* planUnits(input)
    if (!input.force) yield* refuseOthers(planned)
    if (!input.dryRun) yield* carryOut(planned)
    const name = Option.getOrElse(agent, () => NAME)
    const before = input.scope === "system" ? yield* systemPreparation(name, program) : []
    const { dryRun, mode, scope } = input
    return {
      scope,
      mode,
      agent: Option.getOrNull(agent),
      dryRun,
      program,
      units: told(planned),
      next: [...(yield* programPreparation(program)), ...before, ...systemctl(input, name)]
    }
  })
})

const refuseOthers = (planned: ReadonlyArray<Planned>) => {
  const others = planned.filter(({ change }) => change === "replaced").map(({ file }) => file.path)
  return others.length === 0
    ? Effect.void
    : new Refusal({
        code: "unit_differs",
        message: `${listed(others)} ${others.length === 1 ? "is" : "are"} there with another text; nothing was written`,
        hint: "--force replaces them; what is to differ on this host belongs into a drop-in (systemctl edit)."
      })
}
