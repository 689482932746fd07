import { Effect, Option } from "effect"
import { Audit } from "../artifact/AuditFolder.ts"
import { type ListedWorktree, Worktrees } from "../context/Worktrees.ts"
import type { AttemptId } from "../domain/Ids.ts"
import { traced } from "../domain/Traced.ts"
import { Store } from "../store/Store.ts"
import { type Left, leave } from "./LeaveWorktree.ts"

const nothing: Left = { issues: [], detail: {} }

/**
 * Leaves the worktree of an attempt whose dispatcher died, if it had one, as its end would have: what an agent did
 * until then is evidence too. Only after its processes are gone; `survivors` are those that are not.
 */
export const sweepWorktree = traced("SweepWorktrees.sweepWorktree")(function* (
  attemptId: AttemptId,
  survivors: ReadonlyArray<string>
) {
  const worktrees = yield* Worktrees
  const found = (yield* worktrees.list).find((one) => one.attemptId === attemptId)
  return found === undefined ? nothing : yield* left(found, survivors)
})

/** Leaves what attempts that have ended left open: their dispatcher died, or met a fault, in between. */
export const sweepWorktrees = traced("SweepWorktrees.sweepWorktrees")(function* () {
  const store = yield* Store
  const worktrees = yield* Worktrees
  for (const one of yield* worktrees.list) {
    if (one.state === "kept") continue
    const attempt = yield* store.attempts.find(one.attemptId)
    // One that is not on record here may be another store's; prune removes it when it is old.
    if (!Option.exists(attempt, ({ status }) => status === "finished")) continue
    const { issues } = yield* left(one, [])
    for (const issue of issues) yield* Effect.logWarning(`Attempt ${one.attemptId}: ${issue}`)
  }
})

const left = (one: ListedWorktree, survivors: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const worktrees = yield* Worktrees
    const { attemptId } = one
    if (one.state === "spent") return yield* Effect.as(worktrees.remove(attemptId), nothing)
    const { taskId } = one
    const audit = yield* (yield* Audit).open(taskId, attemptId)
    return yield* leave({
      attemptId,
      changes: yield* worktrees.changes(attemptId),
      audit,
      redact: (text) => text,
      mustStay: survivors.length > 0 ? Option.some("as processes are left in it") : Option.none()
    })
  }).pipe(
    Effect.scoped,
    // Without its folder of evidence it stays, to be looked at again.
    Effect.catchTag("AuditFailed", ({ path, reason }) =>
      Effect.as(
        Effect.logWarning(`The worktree of attempt ${one.attemptId} is left as it is: ${path}: ${reason}`),
        nothing
      )
    )
  )
