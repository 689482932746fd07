import { DateTime, Effect, Either, Option } from "effect"
import { RuntimeConfig } from "../../config/RuntimeConfig.ts"
import { HostFacts, type Unit } from "../../dispatch/HostFacts.ts"
import { type Holder, Lock, unseenRemedy } from "../../dispatch/Lock.ts"
import { processOf } from "../../dispatch/Runner.ts"
import type { OpenRunner } from "../../store/Runners.ts"
import { systemctl } from "./Finding.ts"

/** So many files are named in a warning; the remedy is one for all of them. */
const MOST_NAMED = 5

/** How a dispatcher is made to read its configuration again: by its service where it has one. */
const restart = (pid: Option.Option<number>, units: ReadonlyArray<Unit>) =>
  Effect.gen(function* () {
    if (Option.isNone(pid)) return "stop it and start it again"
    const service = yield* (yield* HostFacts).serviceOf(pid.value)
    const unit = units.find(({ name }) => Option.contains(service, name))
    return unit === undefined
      ? `stop it (kill -TERM ${pid.value}: it lets attempts end or puts them back) and start it again`
      : `${systemctl(unit)} restart ${unit.name}`
  })

/** Those that were changed after a time, each with its own, as one clause. */
const changedSince = (paths: ReadonlyArray<string>, since: DateTime.Utc) =>
  Effect.gen(function* () {
    const facts = yield* HostFacts
    const found = yield* Effect.forEach([...new Set(paths)], (path) =>
      Effect.map(facts.changedAt(path), (changed) =>
        Option.filter(changed, (at) => DateTime.greaterThan(at, since)).pipe(
          Option.map((at) => `${path} (${DateTime.formatIso(at)})`)
        )
      )
    )
    const changed = found.flatMap(Option.toArray)
    const more = changed.length - MOST_NAMED
    return `${changed.slice(0, MOST_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
  })

/**
 * Warnings of files of the configuration that were changed after the dispatcher began: it works with what it read then.
 * What an attempt reads when it starts (env files, secret files) is none of them. A `run-once` ends by itself, and the
 * next one reads anew.
 */
export const outdated = (
  { runnerId, since }: Holder,
  runners: ReadonlyArray<OpenRunner>,
  units: ReadonlyArray<Unit>
) =>
  Effect.gen(function* () {
    const isOnce = runners.some((one) => one.mode === "run-once" && Option.contains(runnerId, one.runnerId))
    if (isOnce) return []
    const { files, http } = yield* RuntimeConfig
    const process = Option.flatMap(runnerId, processOf)
    // One that waited for the lock had read its configuration before it got that.
    const began = Option.orElse(
      Option.map(process, ({ startedAt }) => startedAt),
      () => since
    )
    if (Option.isNone(began)) return []
    const tokenFiles = http.tokens.flatMap(({ secret }) =>
      "tokenFile" in secret ? [secret.tokenFile.path] : []
    )
    const changed = yield* changedSince(files, began.value)
    const tokens = yield* changedSince(tokenFiles, began.value)
    if (changed === "" && tokens === "") return []
    const pid = Option.map(process, (one) => one.pid)
    const remedy = yield* restart(pid, units)
    const who = `the dispatcher${Option.match(pid, { onNone: () => "", onSome: (one) => ` (pid ${one})` })}`
    const runs = `${who} runs since ${DateTime.formatIso(began.value)}`
    return [
      ...(changed === ""
        ? []
        : [
            `${runs} by the configuration that it read then, and there were changes since: ${changed}; ${remedy}`
          ]),
      ...(tokens === ""
        ? []
        : [
            `${runs}, and token files were changed since: ${tokens}; where it serves as well (agent-runtime up), and in a serve that began as early, the old token still lets in; ${remedy}`
          ])
    ]
  })

/**
 * Warnings of dispatchers that work on this store and hold the lock of another path, as one does whose `lockPath` was
 * edited; and of those of which that cannot be seen, where `running` tasks may be theirs.
 */
export const elsewhere = (runners: ReadonlyArray<OpenRunner>, units: ReadonlyArray<Unit>, running: number) =>
  Effect.gen(function* () {
    const { lockPath } = yield* RuntimeConfig
    const lock = yield* Lock
    const found = yield* Effect.forEach(
      runners.filter((one) => one.lockPath !== lockPath),
      (runner) =>
        Effect.gen(function* () {
          const held = yield* Effect.either(lock.holder(runner.lockPath))
          if (Either.isLeft(held))
            return running === 0
              ? []
              : [
                  `whether dispatcher ${runner.runnerId} lives, and with it what runs by the records, cannot be told from ${runner.lockPath} (${held.left.reason}); ${unseenRemedy()}`
                ]
          if (!Option.exists(held.right, ({ runnerId }) => Option.contains(runnerId, runner.runnerId)))
            return []
          const remedy = yield* restart(Option.some(runner.pid), units)
          return [
            `nobody holds ${lockPath}, but a dispatcher with another lockPath is at work on this store: ${runner.runnerId} holds ${runner.lockPath}; if lockPath was edited under it: ${remedy}`
          ]
        })
    )
    return found.flat()
  })
