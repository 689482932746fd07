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
  const { commits, diff, files, gone, problem } = changes.value
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
  const place = `${named(attemptId)} below the state folder`
  if (gone) {
    const more = Option.getOrElse(changed(changes.value), () => "as it is")
    const issue = `workspace_gone: ${place} ${Option.getOrElse(problem, () => why.value)}; whatever was changed in it cannot be told. What git has of it is kept, ${more}: ${at}.`
    return {
      issues: [issue],
      detail: { workspace: { kept: named(attemptId), gone, ...told } }
    } satisfies Left
  }
  const kept = `workspace_kept: ${place} is kept, ${why.value}; its diff is ${at}.`
  return { issues: [kept], detail: { workspace: { kept: named(attemptId), ...told } } } satisfies Left
})

/**
 * What changed, as the end of a sentence; none where nothing did. A fresh checkout has no file that git ignores: what
 * is there was made by the attempt, and no diff shows it.
 */
export const changed = ({ commits, files, ignored, staged }: WorktreeChanges): Option.Option<string> => {
  const all = [
    ...(files === 0 ? [] : [many(files, "changed file")]),
    ...(commits === 0 ? [] : [many(commits, "new commit")]),
    ...(staged === 0 ? [] : [`${many(staged, "file")} otherwise in the index`]),
    ...(ignored ? ["files that git ignores"] : [])
  ]
  const last = all.pop()
  if (last === undefined) return Option.none()
  return Option.some(all.length === 0 ? `with ${last}` : `with ${all.join(", ")} and ${last}`)
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
