import { type Deferred, Effect, Option } from "effect"
import type { StopReason } from "../adapter/AdapterRegistry.ts"
import type { AuditFolder } from "../artifact/AuditFolder.ts"
import { untoldChanges, type WorktreeChanges, Worktrees } from "../context/Worktrees.ts"
import { counted } from "../domain/Figure.ts"
import type { AttemptId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Redactor } from "../domain/Redactor.ts"
import { traced } from "../domain/Traced.ts"
import type { Ran } from "./Finish.ts"
import type { Prepared } from "./Prepare.ts"
import type { Site } from "./Site.ts"
import { unlessStopped } from "./UnlessStopped.ts"

/** What became of an attempt's worktree: for its issues, and for the event of its end. */
export interface Left {
  readonly issues: ReadonlyArray<string>
  readonly detail: JsonObject
}

interface Leaving {
  readonly attemptId: AttemptId
  readonly changes: Option.Option<WorktreeChanges>
  readonly audit: Pick<AuditFolder, "put" | "relativePath">
  /** Masks what the attempt itself holds secret. */
  readonly redact: (text: string) => string
  /** Why it must stay whatever was done in it: processes that are left. */
  readonly mustStay: Option.Option<string>
}

const DIFF = "workspace.diff"

/** Where an operator finds it; no absolute place of the host. */
const named = (attemptId: AttemptId): string => `worktrees/${attemptId}`

const many = (count: number, noun: string): string => `${counted(count)} ${noun}${count === 1 ? "" : "s"}`

const unlooked = (root: string): WorktreeChanges =>
  untoldChanges(
    root,
    "as the attempt was told to end while what was done in it was looked at",
    "# the attempt was told to end before this worktree was compared with its base\n"
  )

/**
 * Ends the life of an attempt's worktree: its diff becomes evidence; it is removed when nothing in it changed, and
 * kept and named when something did, or when what did cannot be told.
 */
export const leave = traced("LeaveWorktree.leave")(function* (leaving: Leaving) {
  const worktrees = yield* Worktrees
  const { attemptId, changes } = leaving
  if (Option.isNone(changes)) {
    yield* worktrees.remove(attemptId)
    const gone = `workspace_gone: ${named(attemptId)} below the state folder was no longer there; whatever was changed in it cannot be told.`
    return { issues: [gone], detail: { workspace: { kept: null, gone: true } } } satisfies Left
  }
  const { commits, diff, files, problem } = changes.value
  const unwritten = yield* leaving.audit.put(DIFF, leaving.redact(diff)).pipe(
    Effect.as(Option.none<string>()),
    Effect.catchTag("AuditFailed", ({ reason }) =>
      Effect.succeedSome(`${DIFF} could not be written: ${reason}`)
    )
  )
  const why = Option.firstSomeOf([leaving.mustStay, problem, unwritten, changed(changes.value)])
  const at = `${leaving.audit.relativePath}/${DIFF}`
  const told = { files, commits, diff: Option.isSome(unwritten) ? null : at }
  if (Option.isNone(why)) {
    yield* worktrees.remove(attemptId)
    return { issues: [], detail: { workspace: { kept: null, ...told } } } satisfies Left
  }
  yield* worktrees.keep(attemptId)
  const kept = `workspace_kept: ${named(attemptId)} below the state folder is kept, ${why.value}; its diff is ${at}.`
  return { issues: [kept], detail: { workspace: { kept: named(attemptId), ...told } } } satisfies Left
})

/**
 * What changed, as the end of a sentence; none where nothing did. A fresh checkout has no file that git ignores: what
 * is there was made by the attempt, and no diff shows it.
 */
export const changed = ({ commits, files, ignored }: WorktreeChanges) => {
  const more = commits === 0 ? "" : ` and ${many(commits, "new commit")}`
  if (files > 0 || commits > 0) return Option.some(`with ${many(files, "changed file")}${more}`)
  return ignored ? Option.some("with files that git ignores") : Option.none<string>()
}

/** Leaves the attempt's worktree; the rest of what it came to stays as it is. */
export const leaveSite = (
  { audit, claimed }: Prepared,
  { changes, worktree }: Site,
  stop: Deferred.Deferred<StopReason>,
  { ran, redactor }: { readonly ran: Ran; readonly redactor: Pick<Redactor, "text"> }
) =>
  Effect.gen(function* () {
    const { verdict } = ran
    const { detail, issues } = yield* leave({
      attemptId: claimed.attempt.attemptId,
      changes: yield* unlessStopped(changes, stop, () =>
        Effect.succeed(Option.map(worktree, ({ path }) => unlooked(path)))
      ),
      audit,
      redact: redactor.text,
      mustStay:
        verdict.reason === "processes_left" ? Option.some("as processes are left in it") : Option.none()
    })
    const end = {
      ...ran.end,
      issues: [...ran.end.issues, ...issues],
      detail: { ...ran.end.detail, ...detail }
    }
    return { ...ran, end } satisfies Ran
  })
