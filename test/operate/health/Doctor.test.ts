import { describe, expect } from "bun:test"
import { DateTime, Effect, Layer, Option, TestClock } from "effect"
import { Rights } from "../../../src/artifact/Rights.ts"
import type { Settings } from "../../../src/config/RuntimeConfig.ts"
import type { Exposure, HostFacts, Unit } from "../../../src/dispatch/HostFacts.ts"
import { Lock, LockUnusable } from "../../../src/dispatch/Lock.ts"
import { RunnerId } from "../../../src/domain/Ids.ts"
import { checks } from "../../../src/operate/health/Doctor.ts"
import { Store } from "../../../src/store/Store.ts"
import { StoreProbe } from "../../../src/store/StoreProbe.ts"
import { says, world } from "../../dispatch/world.ts"
import { it } from "../../support/effect.ts"
import { hostFacts } from "../../support/hostFacts.ts"
import { settings } from "../../support/settings.ts"
import { claimed, newTask, stampAt } from "../../support/store.ts"

const SEVEN = Date.parse("2026-04-29T07:00:00.000Z")

interface Host {
  readonly facts?: Partial<HostFacts["Type"]>
  readonly settings?: Partial<Settings>
  readonly before?: Effect.Effect<unknown, unknown, Store>
  /** Whether the lock is held, or the id of who holds it. */
  readonly held?: boolean | string
  /** The path of the lock that is held, where it is another one. */
  readonly heldPath?: string
  /** The path of a lock that cannot be looked at. */
  readonly hiddenPath?: string
  readonly seconds?: number
  /** What cannot be written, by path. */
  readonly unwritable?: Readonly<Record<string, string>>
}

const probe = Layer.effect(
  StoreProbe,
  Effect.map(Store, (store) => ({
    health: () => Effect.dieMessage("not asked here"),
    cooldowns: () => Effect.succeed([]),
    lastOf: () => Effect.dieMessage("not asked here"),
    look: <A, E>(program: (opened: Store["Type"]) => Effect.Effect<A, E>) => program(store)
  }))
)

/** The checks that have something to say, by id. */
const said = ({
  before = Effect.void,
  facts = {},
  held = false,
  heldPath,
  hiddenPath,
  seconds = 0,
  unwritable = {},
  ...host
}: Host) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(SEVEN + seconds * 1000)
    yield* before
    const path = heldPath ?? settings(host.settings ?? {}).lockPath
    const holder = RunnerId.make(held === true ? "another" : String(held))
    const lock = yield* Lock
    const looked = Effect.provideService(checks, Lock, {
      ...lock,
      holder: (of) =>
        of === hiddenPath ? new LockUnusable({ path: of, reason: "EACCES", remedy: "" }) : lock.holder(of)
    })
    const found = yield* held === false ? looked : lock.hold(path, holder)(looked)
    return Object.fromEntries(
      found
        .filter(({ problems, warnings }) => problems.length + warnings.length > 0)
        .map(({ id, problems, warnings }) => [id, { problems, warnings }])
    )
  }).pipe(
    Effect.provide(
      Layer.mergeAll(
        probe,
        hostFacts(facts),
        Layer.succeed(Rights, {
          problem: (path) => Effect.succeed(Option.fromNullable(unwritable[path]))
        })
      ).pipe(Layer.provideMerge(world({ adapters: { local: says("x") }, settings: host.settings ?? {} })))
    )
  )

/** A dispatcher that has begun a minute before the clock's time. */
const RECORD = {
  runnerId: RunnerId.make("h:4711:2026-04-29T06:59:00.000Z"),
  host: "h",
  pid: 4711,
  processMark: Option.none(),
  limits: {}
}

const queued = Effect.flatMap(Store, (store) => store.tasks.add(newTask("t"), stampAt(0)))

const open = (path: string, exposure: Partial<Exposure>) => ({
  exposure: (asked: string) =>
    Effect.succeed(
      asked === path
        ? Option.some<Exposure>({ kind: "folder", readable: false, writable: false, ...exposure })
        : Option.none()
    )
})

const unit = (name: string, of: Partial<Unit> = {}): Unit => ({
  name,
  manager: "user",
  active: "active",
  sub: "running",
  load: "loaded",
  ...of
})

describe("the doctor", () => {
  it.effect("says nothing where all is well", () =>
    Effect.map(said({}), (found) => expect(found).toEqual({}))
  )

  it.effect("warns of a folder that others can read, and is not ok where they can write", () =>
    Effect.gen(function* () {
      const { stateDir } = settings({})
      const read = yield* said({ facts: open(stateDir, { readable: true, writable: false }) })
      expect(read.permissions).toEqual({
        problems: [],
        warnings: [`stateDir can be read by others: ${stateDir}; chmod 700 ${stateDir}`]
      })
      const written = yield* said({ facts: open(stateDir, { readable: true, writable: true }) })
      expect(written.permissions?.problems).toEqual([
        `stateDir can be written by others: ${stateDir}; chmod 700 ${stateDir}`
      ])
    })
  )

  it.effect("names a token's file that is missing or open to others", () =>
    Effect.gen(function* () {
      const path = "/secrets/token"
      const tokens = [
        { name: "sibling", role: "read", secret: { tokenFile: { given: path, path } } }
      ] as const
      const http = { ...settings({}).http, tokens }
      const missing = yield* said({ settings: { http } })
      expect(missing.permissions?.problems).toEqual([
        `http.tokens: the file of token sibling is missing: ${path}; install -m 600 /dev/null ${path}, then write the token into it`
      ])
      const shared = yield* said({
        settings: { http },
        facts: open(path, { readable: true, writable: false })
      })
      expect(shared.permissions?.problems).toEqual([
        `http.tokens: the file of token sibling is open to others: ${path}; chmod 600 ${path}`
      ])
    })
  )

  it.effect("tells a clock that is behind the records, and one that nobody keeps", () =>
    Effect.gen(function* () {
      const behind = (seconds: number) => said({ before: queued, held: true, seconds: -seconds })
      expect(yield* behind(1)).toEqual({})
      expect((yield* behind(30)).clock?.warnings[0]).toContain("is 30 s behind the newest record")
      const far = yield* behind(3_600)
      expect(far.clock?.problems).toEqual([
        "the clock (2026-04-29T06:00:00.000Z) is 3600 s behind the newest record; set it right: timedatectl set-ntp true"
      ])
      const unkept = yield* said({ facts: { clockIsKept: Effect.succeed(Option.some(false)) } })
      expect(unkept.clock).toEqual({
        problems: [],
        warnings: ["no time service keeps this host's clock; timedatectl set-ntp true"]
      })
    })
  )

  it.effect("tells a clock that was set back, though the newest record goes by it", () =>
    Effect.gen(function* () {
      const before = (seconds: number) =>
        Effect.zipRight(
          queued,
          Effect.flatMap(Store, ({ gates }) => gates.setPause(Option.none(), stampAt(-seconds)))
        )
      const found = (seconds: number) =>
        Effect.map(said({ before: before(seconds), held: true, seconds: -seconds }), ({ clock }) => clock)
      expect(yield* found(60)).toBeUndefined()
      const told = yield* found(86_400)
      expect(told?.problems).toEqual([])
      expect(told?.warnings[0]).toStartWith(
        "the clock (2026-04-28T07:00:00.000Z) was set back: a task was made 86400 s ahead of it"
      )
      expect(told?.warnings[0]).toContain(
        "(delayed tasks, retries, rate limits, cool-downs) waits as much longer; agent-runtime task-list --status pending,retryable_failure shows such tasks"
      )
      expect(told?.warnings).toHaveLength(1)
    })
  )

  it.effect("warns of tasks that wait with nobody to run them, but not between two turns of a timer", () =>
    Effect.gen(function* () {
      const warning = "1 task waits and no dispatcher is running; agent-runtime dispatch"
      expect((yield* said({ before: queued })).dispatcher).toEqual({ problems: [], warnings: [warning] })
      expect(yield* said({ before: queued, held: true })).toEqual({})
      const timer = Effect.succeed([unit("agent-runtime-dispatch@a.timer", { sub: "waiting" })])
      expect(yield* said({ before: queued, facts: { units: timer } })).toEqual({})
    })
  )

  it.effect("names a unit that has failed, that cannot be loaded, or that comes up again and again", () =>
    Effect.gen(function* () {
      const units = Effect.succeed([
        unit("a.service", { active: "failed", sub: "failed" }),
        unit("b.service", { load: "bad-setting", active: "inactive", manager: "system" }),
        unit("c.service", { active: "activating", sub: "auto-restart" }),
        unit("d.service", { active: "inactive", sub: "dead" })
      ])
      expect((yield* said({ facts: { units } })).units).toEqual({
        problems: [
          "a.service has failed; see journalctl --user -u a.service, then: systemctl --user reset-failed a.service && systemctl --user start a.service",
          "b.service cannot be loaded (bad-setting); systemctl daemon-reload, and see journalctl -u b.service"
        ],
        warnings: ["c.service is being started again and again; see journalctl --user -u c.service"]
      })
    })
  )

  it.effect("warns where a schedule and another queue one kind", () =>
    Effect.gen(function* () {
      const before = Effect.flatMap(Store, (store) =>
        Effect.gen(function* () {
          const saved = {
            scheduleId: "s",
            name: "beat",
            intervalSeconds: Option.some(305),
            cron: Option.none(),
            timezone: Option.none(),
            nextRunAt: DateTime.unsafeMake(SEVEN),
            enabled: true,
            overlap: "skip",
            task: { kind: "heartbeat", source: "beat", payload: {} }
          } as const
          yield* store.schedules.upsert(saved, [], stampAt(0))
          for (const source of ["beat:2026-04-29T07:00:00.000Z", "old-cron"])
            yield* store.tasks.add(newTask(source, { kind: "heartbeat", source }), stampAt(0))
        })
      )
      expect((yield* said({ before, held: true })).producers?.warnings[0]).toStartWith(
        "schedule beat and old-cron both queue heartbeat tasks"
      )
    })
  )

  it.effect("offers no rights for what stands in another's place", () =>
    Effect.gen(function* () {
      const { dbPath } = settings({})
      expect(yield* said({ facts: open(dbPath, { kind: "folder", writable: true }) })).toEqual({})
      const file = yield* said({ facts: open(dbPath, { kind: "file", writable: true }) })
      expect(file.permissions?.problems[0]).toEndWith(`chmod 600 ${dbPath}`)
    })
  )

  it.effect("is not ok where the lock cannot be taken or the evidence not be written", () =>
    Effect.gen(function* () {
      const { artifactDir, lockPath } = settings({})
      const found = yield* said({
        unwritable: {
          [lockPath]: `${lockPath} is not a file`,
          [artifactDir]: `${artifactDir} cannot be written (EACCES)`
        }
      })
      expect(found.dispatcher?.problems).toEqual([
        `nobody can dispatch, for the lock cannot be taken: ${lockPath} is not a file; correct the path, or give this user the right to write there (lockPath)`
      ])
      expect(found.permissions?.problems).toEqual([
        `no attempt can be run: ${artifactDir} cannot be written (EACCES); correct the path, or give this user the right to write there`
      ])
    })
  )

  it.effect("warns of a pause, with who, since when and why, and of what a dead dispatcher left", () =>
    Effect.gen(function* () {
      const paused = Effect.flatMap(Store, ({ gates }) => gates.setPause(Option.some("a move"), stampAt(0)))
      const found = yield* said({ before: paused, held: true })
      expect(found.dispatcher?.warnings).toEqual([
        `dispatch is paused since 2026-04-29T07:00:00.000Z by ${stampAt(0).actor.name} (${stampAt(0).actor.surface}) (a move); agent-runtime resume`
      ])
      const left = Effect.zipRight(queued, claimed("a"))
      expect((yield* said({ before: left })).dispatcher?.warnings).toEqual([
        "1 task is running by the records, but the dispatcher is gone; agent-runtime dispatch (or run-once) takes up what it left"
      ])
      expect(yield* said({ before: left, held: true })).toEqual({})
    })
  )

  it.effect("warns of a configuration that was changed after the dispatcher began, with what mends it", () =>
    Effect.gen(function* () {
      const { files } = settings({})
      const path = "/secrets/token"
      const tokens = [
        { name: "sibling", role: "read", secret: { tokenFile: { given: path, path } } }
      ] as const
      const http = { ...settings({}).http, tokens }
      // It waited a minute for its lock, and had read its configuration before.
      const holder = RECORD.runnerId
      const told = (changes: Readonly<Record<string, string>>, host: Partial<Host> = {}) =>
        Effect.map(
          said({
            held: holder,
            settings: { http },
            ...host,
            facts: {
              changedAt: (asked) =>
                Effect.succeed(Option.map(Option.fromNullable(changes[asked]), DateTime.unsafeMake)),
              ...host.facts
            }
          }),
          (found) => found.dispatcher
        )
      const before = "2026-04-29T06:58:59.999Z"
      const after = "2026-04-29T06:59:30.000Z"
      expect(yield* told({ [files[0]!]: before, [path]: before })).toBeUndefined()
      const began =
        "the dispatcher (pid 4711) runs since 2026-04-29T06:59:00.000Z by the configuration that it read then"
      expect(yield* told({ [files[0]!]: before, [files[1]!]: after })).toEqual({
        problems: [],
        warnings: [
          `${began}, and there were changes since: ${files[1]} (${after}); stop it (kill -TERM 4711: it lets attempts end or puts them back) and start it again`
        ]
      })
      const name = "agent-runtime-dispatch@a.service"
      const ofUnit = {
        units: Effect.succeed([unit(name)]),
        serviceOf: (pid: number) => Effect.succeed(pid === 4711 ? Option.some(name) : Option.none())
      }
      expect((yield* told({ [files[0]!]: after }, { facts: ofUnit }))?.warnings[0]).toEndWith(
        `: ${files[0]} (${after}); systemctl --user restart ${name}`
      )
      expect((yield* told({ [path]: after }))?.warnings[0]).toContain(
        `token files were changed since: ${path} (${after}); where it serves as well`
      )
      expect(yield* told({ [files[0]!]: after }, { held: false })).toBeUndefined()
      const once = Effect.flatMap(Store, ({ runners }) =>
        runners.begin({ ...RECORD, mode: "run-once", lockPath: settings({}).lockPath }, stampAt(0))
      )
      expect(yield* told({ [files[0]!]: after }, { before: once })).toBeUndefined()
    })
  )

  it.effect("tells a dispatcher with another lockPath from one that is gone", () =>
    Effect.gen(function* () {
      const { runnerId } = RECORD
      const left = Effect.gen(function* () {
        const { runners } = yield* Store
        yield* runners.begin({ ...RECORD, mode: "dispatch", lockPath: "/other/lock" }, stampAt(0))
        yield* queued
        yield* claimed("a")
        yield* (yield* Store).tasks.add(newTask("waits"), stampAt(0))
      })
      expect((yield* said({ before: left, hiddenPath: "/other/lock" })).dispatcher?.warnings[0]).toStartWith(
        `whether dispatcher ${runnerId} lives, and with it what runs by the records, cannot be told from /other/lock (EACCES); agent-runtime run-once as a user that can read that file`
      )
      expect((yield* said({ before: left, heldPath: "/other/lock", held: runnerId })).dispatcher).toEqual({
        problems: [],
        warnings: [
          `nobody holds ${settings({}).lockPath}, but a dispatcher with another lockPath is at work on this store: ${runnerId} holds /other/lock; if lockPath was edited under it: stop it (kill -TERM 4711: it lets attempts end or puts them back) and start it again`
        ]
      })
      const gone = yield* said({ before: left, heldPath: "/other/lock", held: "somebody else" })
      expect(gone.dispatcher?.warnings[0]).toContain("but the dispatcher is gone")
    })
  )

  it.effect("warns of a unit whose program is not there", () =>
    Effect.gen(function* () {
      const path = "/etc/systemd/system/agent-runtime-dispatch@.service"
      const installed = (isThere: boolean) => Effect.succeed([{ path, program: "/opt/gone", isThere }])
      expect(yield* said({ facts: { installed: installed(true) } })).toEqual({})
      expect((yield* said({ facts: { installed: installed(false) } })).units?.warnings).toEqual([
        `${path} starts /opt/gone, which this user cannot run; agent-runtime install-units --force --program PATH`
      ])
    })
  )

  it.effect("warns where nobody could get in: loopback without a role, and no token", () =>
    Effect.gen(function* () {
      const warned = (http: Partial<Settings["http"]>) =>
        Effect.map(said({ settings: { http: { ...settings({}).http, ...http } } }), (found) => found.http)
      expect(yield* warned({ loopbackRole: "none" })).toEqual({
        problems: [],
        warnings: [
          'http.loopbackRole is none and http.tokens is empty: nobody can get in; add a token, or set http.loopbackRole to "read" or "operate"'
        ]
      })
      const token = { name: "a", role: "read", secret: { sha256: "0".repeat(64) } } as const
      expect(yield* warned({ loopbackRole: "none", tokens: [token] })).toBeUndefined()
      expect(yield* warned({ loopbackRole: "read" })).toBeUndefined()
    })
  )

  it.effect("warns where serve would not begin: no token beyond loopback, an address of another host", () =>
    Effect.gen(function* () {
      const warned = (host: string) =>
        Effect.map(
          said({ settings: { http: { ...settings({}).http, host } } }),
          (found) => found.http?.warnings.map((line) => line.replace(/:.*/, "")) ?? []
        )
      const noToken = (host: string) => `http.host ${host} is not loopback and http.tokens is empty`
      expect(yield* warned("127.0.0.1")).toEqual([])
      expect(yield* warned("0.0.0.0")).toEqual([noToken("0.0.0.0")])
      expect(yield* warned("192.0.2.7")).toEqual([
        noToken("192.0.2.7"),
        "http.host 192.0.2.7 is no address of this host"
      ])
    })
  )
})
