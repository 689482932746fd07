import * as fs from "node:fs"
import * as path from "node:path"
import { type DateTime, Deferred, Effect, Exit, Fiber, Layer, Option } from "effect"
import { type Holder, Lock, LockHeld, LockUnusable } from "../../src/dispatch/Lock.ts"
import { roomRemedyOr } from "../../src/domain/HostRoom.ts"
import type { RunnerId } from "../../src/domain/Ids.ts"
import { now } from "../../src/domain/Time.ts"
import { traced } from "../../src/domain/Traced.ts"
import { CALLABLE_REMEDY, NotCallable } from "../CLibrary.ts"
import { codeOf } from "../SystemWord.ts"
import { isTaken, take } from "./FileLock.ts"
import { leadsTo, NotOurs, noteIn, openToHold, openToLook, tell } from "./LockFile.ts"

const MOST_TRIES = 1_000

const reasonFor = (cause: unknown): string => {
  const told = cause instanceof Error ? cause.message : String(cause)
  return cause instanceof NotCallable ? `no file can be locked, as ${told}` : told
}

const remedyFor = (cause: unknown): string => {
  if (cause instanceof NotCallable) return CALLABLE_REMEDY
  if (cause instanceof NotOurs) return "see what is there and move it away, or set another lockPath"
  return roomRemedyOr(
    codeOf(cause),
    "check that the path is a file in a folder that this user can write, or set another lockPath"
  )
}

const unusable = (file: string, cause: unknown) =>
  new LockUnusable({
    path: file,
    reason: reasonFor(cause),
    remedy: remedyFor(cause),
    isForeign: cause instanceof NotOurs
  })

/** An open lock file; another one takes its place when the file has lost its name. */
interface Descriptor {
  fd: number
}

interface Mine {
  readonly held: Descriptor
  readonly runnerId: RunnerId
  readonly since: DateTime.Utc
}

/** How often a holder looks whether the path still leads to its file: an operator may have removed it as stale. */
const BETWEEN_LOOKS = "2 seconds"

/** What a look at the path of a held lock finds. */
type Found =
  | { readonly _tag: "Held" | "Renewed" }
  | { readonly _tag: "Taken"; readonly holder: Holder }
  | { readonly _tag: "Lost"; readonly why: string }

const lost = (file: string, { runnerId }: Holder) =>
  new LockUnusable({
    path: file,
    reason: `it was removed or replaced while this process held it, and ${Option.getOrElse(runnerId, () => "another process")} has taken it`,
    remedy: "nothing is to be done: what ran here was stopped and put back. Nobody has to remove a lock file"
  })

/** Runs a program beside its guard; where that fails the program is interrupted, and waited for. */
const whileHeld = <A, E, R>(program: Effect.Effect<A, E, R>, guard: Effect.Effect<never, LockUnusable>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const gone = yield* Deferred.make<never, LockUnusable>()
      const running = yield* Effect.fork(restore(program))
      const guarding = yield* Effect.fork(
        Effect.interruptible(guard).pipe(
          Effect.catchAll((error) =>
            Effect.zipRight(Deferred.fail(gone, error), Fiber.interruptFork(running))
          )
        )
      )
      const exit = yield* restore(Fiber.await(running)).pipe(
        Effect.onInterrupt(() => Fiber.interrupt(running))
      )
      yield* Fiber.interrupt(guarding)
      if (Exit.isInterrupted(exit) && (yield* Deferred.isDone(gone))) return yield* Deferred.await(gone)
      return yield* exit
    })
  )

/** The lock as the kernel keeps it, on a file. */
export const make: Effect.Effect<Lock["Type"]> = Effect.sync(() => {
  // A holder that let go between the two calls leaves it to be taken; a lock that nobody holds and that cannot
  // be taken either is none.
  const taken = (fd: number): boolean => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (take(fd)) return true
      if (isTaken(fd)) return false
    }
    throw new Error("the file system cannot lock files")
  }

  // Closing releases the lock. The file stays: removing it would let two processes hold two files.
  const open = (file: string) =>
    Effect.acquireRelease(
      Effect.try({
        try: (): Descriptor => {
          fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
          return { fd: openToHold(file) }
        },
        catch: (cause) => unusable(file, cause)
      }),
      (held) => Effect.sync(() => fs.closeSync(held.fd))
    )

  const acquire = (file: string, runnerId: RunnerId) =>
    Effect.gen(function* () {
      const held = yield* open(file)
      const since = yield* now
      yield* Effect.try({
        try: () => {
          if (!taken(held.fd)) throw new LockHeld({ path: file, runnerId: noteIn(held.fd).runnerId })
          tell(held.fd, runnerId, since)
        },
        catch: (cause) => (cause instanceof LockHeld ? cause : unusable(file, cause))
      })
      return { held, since }
    })

  /** Locks what is at the path of a lock that has lost its file, in the place of that. */
  const renew = (file: string, mine: Mine): Found => {
    // A folder that is gone is not made anew: what stood beside the lock is gone with it.
    const fd = openToHold(file)
    let spare = fd
    try {
      if (!taken(fd)) {
        const holder = noteIn(fd)
        // A file system without lasting inodes shows the same file as another one.
        const isOurs = Option.contains(holder.runnerId, mine.runnerId)
        return isOurs ? { _tag: "Held" } : { _tag: "Taken", holder }
      }
      tell(fd, mine.runnerId, mine.since)
      spare = mine.held.fd
      mine.held.fd = fd
      return { _tag: "Renewed" }
    } finally {
      fs.closeSync(spare)
    }
  }

  const look = (file: string, mine: Mine): Found => {
    try {
      return leadsTo(file, mine.held.fd) ? { _tag: "Held" } : renew(file, mine)
    } catch (cause) {
      return { _tag: "Lost", why: reasonFor(cause) }
    }
  }

  /** Looks whether the path leads to the file that is held, for ever; fails when another process holds the path. */
  const guard = (file: string, mine: Mine) =>
    Effect.gen(function* () {
      let told = ""
      while (true) {
        yield* Effect.sleep(BETWEEN_LOOKS)
        const found = look(file, mine)
        if (found._tag === "Taken") return yield* lost(file, found.holder)
        if (found._tag === "Renewed")
          yield* Effect.logWarning(
            `The lock file ${file} was removed or replaced while it was held; it is locked anew`
          )
        const why = found._tag === "Lost" ? found.why : ""
        if (why !== told && why !== "")
          yield* Effect.logWarning(`The lock file ${file} was lost, and cannot be locked anew: ${why}`)
        told = why
      }
    })

  return Lock.of({
    hold: (file, runnerId) => (program) =>
      Effect.scoped(
        Effect.flatMap(acquire(file, runnerId), (got) =>
          whileHeld(program, guard(file, { ...got, runnerId }))
        )
      ),
    holder: traced("Lock.holder")((file) =>
      Effect.try({
        try: () => {
          const fd = openToLook(file)
          if (fd === undefined) return Option.none<Holder>()
          try {
            return isTaken(fd) ? Option.some(noteIn(fd)) : Option.none<Holder>()
          } finally {
            fs.closeSync(fd)
          }
        },
        catch: (cause) => unusable(file, cause)
      })
    )
  })
})

/** See `make`. */
export const layer: Layer.Layer<Lock> = Layer.effect(Lock, make)
