import { DateTime, Duration, Effect, Option } from "effect"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import { ATTEMPT_FOLDERS } from "../artifact/Declared.ts"
import { now } from "../domain/Time.ts"
import type { Verdict, VerdictReason } from "../evidence/Verdict.ts"
import type { Pause } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import { DISPATCH, stampNow } from "./Runner.ts"

const UNKEPT: ReadonlyArray<VerdictReason> = ["evidence_unwritable", "artifact_root_unusable"]

/** Whether an attempt came to nothing as no evidence could be kept of it. */
export const wasUnkept = ({ reason }: Verdict): boolean => UNKEPT.includes(reason)

/**
 * Pauses dispatch where no evidence can be kept now (a full disk, one that is mounted read-only): each task that is
 * queued would be blocked, one after the other, for what is not its fault. A pause that holds already stays as it is.
 */
const holdBack = Effect.gen(function* () {
  const store = yield* Store
  const lack = yield* Effect.flip((yield* ArtifactStore).writable).pipe(Effect.option)
  if (Option.isNone(lack)) return
  const { path, reason } = lack.value
  const where = ATTEMPT_FOLDERS.includes(path) ? `${path} below the artifact root` : "the artifact root"
  const why = `nothing can be kept in ${where} (${reason}): free space or mend the rights of artifactDir and of what lies there`
  const stamp = yield* stampNow
  const isPaused = Effect.map(store.gates.pause, Option.isSome)
  yield* store.transact(
    "HoldBack.holdBack",
    Effect.unlessEffect(store.gates.setPause(Option.some(why), stamp), isPaused)
  )
  yield* Effect.logError(`Dispatch is paused until evidence can be kept again: ${why}`)
}).pipe(
  Effect.catchTag("StoreUnavailable", ({ reason }) =>
    Effect.logWarning(`Dispatch could not be paused: ${reason}`)
  )
)

/** Does so after an attempt that came to nothing for it. */
export const heldBackAfter = (verdict: Verdict) => Effect.when(holdBack, () => wasUnkept(verdict))

const BETWEEN_LOOKS = Duration.seconds(1)

/** Whether a dispatcher set a pause, and ends it by itself. */
export const endsByItself = ({ actor }: Pause): boolean => actor.surface === DISPATCH

/** Ends a pause that a dispatcher set once evidence can be kept again; answers when to look again while it cannot. */
export const goOn = (pause: Pause) =>
  Effect.gen(function* () {
    if (!endsByItself(pause)) return Option.none<DateTime.Utc>()
    const at = yield* now
    const isWritable = Effect.isSuccess((yield* ArtifactStore).writable)
    if (!(yield* isWritable)) return Option.some(DateTime.addDuration(at, BETWEEN_LOOKS))
    const { gates, transact } = yield* Store
    const stamp = yield* stampNow
    // An operator may have paused meanwhile.
    const isOwn = Effect.map(gates.pause, Option.exists(endsByItself))
    yield* transact("HoldBack.goOn", Effect.whenEffect(gates.clearPause(stamp), isOwn))
    yield* Effect.logInfo("Evidence can be kept again")
    return Option.some(at)
  })
