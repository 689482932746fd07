import { FFIType, ptr } from "bun:ffi"
import * as fs from "node:fs"
import { homedir } from "node:os"
import * as path from "node:path"
import { Array, DateTime, Effect, Layer, Option, Schema } from "effect"
import { programOf } from "../src/artifact/UnitProgram.ts"
import { type Exposure, HostFacts, type InstalledUnit, type Unit } from "../src/dispatch/HostFacts.ts"
import { cLibrary } from "./CLibrary.ts"
import { readPlainText } from "./config/PlainFile.ts"
import { isProgram } from "./deploy/Program.ts"
import { addresses } from "./http/Addresses.ts"
import { readToken } from "./http/TokenFile.ts"

const seen = (place: string) => fs.statSync(place, { throwIfNoEntry: false })

const READ_BY_OTHERS = 0o044
const WRITTEN_BY_OTHERS = 0o022
const ENTERED_BY_OTHERS = 0o011

const isReached = (folder: string): boolean =>
  ((seen(folder)?.mode ?? 0) & ENTERED_BY_OTHERS) !== 0 &&
  (path.dirname(folder) === folder || isReached(path.dirname(folder)))

const exposure = (place: string): Exposure | undefined => {
  const found = seen(place)
  if (found === undefined) return undefined
  const { mode } = found
  const reached = isReached(path.dirname(place))
  return {
    kind: found.isFile() ? "file" : found.isDirectory() ? "folder" : "other",
    readable: reached && (mode & READ_BY_OTHERS) !== 0,
    writable: reached && (mode & WRITTEN_BY_OTHERS) !== 0
  }
}

// A link that is set to another file leaves that file's own time as it was.
const changedAt = (place: string): DateTime.Utc =>
  DateTime.unsafeMake(Math.floor(Math.max(fs.lstatSync(place).mtimeMs, fs.statSync(place).mtimeMs)))

/** The innermost of our services in a text of cgroup(7): one line a hierarchy, a path of slices and services. */
export const serviceOf = (cgroups: string): string | undefined =>
  cgroups.split(/[\n/]/).findLast((name) => name.startsWith("agent-runtime-") && name.endsWith(".service"))

/** struct timex of 64-bit Linux; all zero it asks and sets nothing (adjtimex(2)). */
const TIMEX_BYTES = 208
const TIME_ERROR = 5

const clockIsKept = (): boolean | undefined => {
  const libc = cLibrary({ adjtimex: { args: [FFIType.ptr], returns: FFIType.i32 } })
  try {
    const state = libc.symbols.adjtimex(ptr(Buffer.alloc(TIMEX_BYTES)))
    return state < 0 ? undefined : state !== TIME_ERROR
  } finally {
    libc.close()
  }
}

const UNITS_WITHIN_MS = 3_000

const Listed = Schema.parseJson(
  Schema.Array(
    Schema.Struct({
      unit: Schema.String,
      load: Schema.String,
      active: Schema.String,
      sub: Schema.String
    })
  )
)

/** Managers that are there; a `systemctl` without one would wait for it. */
const managers = (): ReadonlyArray<Unit["manager"]> => {
  const folder = process.env.XDG_RUNTIME_DIR
  return [
    ...(folder !== undefined && fs.existsSync(path.join(folder, "systemd", "private"))
      ? (["user"] as const)
      : []),
    ...(fs.existsSync("/run/systemd/private") ? (["system"] as const) : [])
  ]
}

const unitsOf = (manager: Unit["manager"]) =>
  Effect.tryPromise(async () => {
    const args = ["list-units", "--all", "--no-pager", "--output=json", "agent-runtime-*"]
    const child = Bun.spawn(["systemctl", `--${manager}`, ...args], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: UNITS_WITHIN_MS
    })
    return await new Response(child.stdout).text()
  }).pipe(
    Effect.flatMap(Schema.decode(Listed)),
    Effect.map((rows) => rows.map(({ unit, ...row }): Unit => ({ name: unit, manager, ...row }))),
    // A manager that does not answer, or not in this form, has nothing to tell here.
    Effect.orElseSucceed((): ReadonlyArray<Unit> => [])
  )

const unitFolders = (): ReadonlyArray<string> => {
  const xdg = process.env.XDG_CONFIG_HOME
  return [
    path.join(xdg?.startsWith("/") ? xdg : path.join(homedir(), ".config"), "systemd", "user"),
    "/etc/systemd/system"
  ]
}

const filesIn = (folder: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(folder).map((name) => path.join(folder, name))
  } catch {
    return []
  }
}

const installedUnit = (place: string): InstalledUnit | undefined => {
  if (!/\/agent-runtime-[^/]*\.service$/.test(place)) return undefined
  const program = Option.getOrUndefined(programOf(readPlainText(place), homedir()))
  return program === undefined ? undefined : { path: place, program, isThere: isProgram(program) }
}

const orNone = <A>(look: () => A | undefined) =>
  Effect.sync(() => {
    try {
      return Option.fromNullable(look())
    } catch {
      return Option.none()
    }
  })

/** The facts of this host. */
export const layer: Layer.Layer<HostFacts> = Layer.succeed(
  HostFacts,
  HostFacts.of({
    exposure: (place) => orNone(() => exposure(place)),
    changedAt: (place) => orNone(() => changedAt(place)),
    serviceOf: (pid) => orNone(() => serviceOf(fs.readFileSync(`/proc/${pid}/cgroup`, "utf8"))),
    token: (place) => Effect.sync(() => readToken(place)),
    clockIsKept: orNone(clockIsKept),
    installed: Effect.suspend(() =>
      Effect.map(
        Effect.forEach(unitFolders().flatMap(filesIn), (place) => orNone(() => installedUnit(place))),
        Array.getSomes
      )
    ),
    addresses,
    units: Effect.suspend(() => Effect.map(Effect.forEach(managers(), unitsOf), (found) => found.flat()))
  })
)
