import { Effect, Fiber, Option } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { workingDirOf } from "../config/WorkingDir.ts"
import { Workspace } from "../context/Workspace.ts"
import { type Worktree, type WorktreeChanges, Worktrees } from "../context/Worktrees.ts"
import { NoRoom } from "../domain/HostRoom.ts"
import { traced } from "../domain/Traced.ts"
import type { Claim } from "../evidence/Claim.ts"
import { NotStarted } from "./NotStarted.ts"
import type { Prepared } from "./Prepare.ts"

/** Where an attempt is executed and judged. */
export interface Site {
  /** Where its child runs, without symlinks; none for an adapter without hands. */
  readonly cwd: Option.Option<string>
  /** What its claims are looked for in, as the configuration names it; none for an adapter without hands. */
  readonly workingDir: Option.Option<string>
  readonly worktree: Option.Option<Worktree>
  /**
   * What was changed in its worktree. It is looked at once, when the attempt's processes are gone; who no longer waits
   * for it stops it for nobody else.
   */
  readonly changes: Effect.Effect<Option.Option<WorktreeChanges>>
}

/**
 * The place of an attempt: the folder that it occupies or, where its adapter says so, a git worktree of its own,
 * made here. Ends as NotStarted where none can be made.
 */
export const siteOf = traced("Site.siteOf")(function* (prepared: Prepared) {
  const settings = yield* RuntimeConfig
  const { adapter, claimed, compiled, ground } = prepared
  if (Option.isNone(ground) || ground.value.workspace !== "worktree")
    return {
      cwd: Option.map(ground, ({ dir }) => dir),
      workingDir: workingDirOf(adapter.settings, settings),
      worktree: Option.none(),
      changes: Effect.succeedNone
    } satisfies Site
  const worktrees = yield* Worktrees
  const { attemptId, taskId } = claimed.attempt
  const worktree = yield* worktrees
    .make({ attemptId, taskId, dir: ground.value.dir, base: compiled.bundle.workspace.gitSha })
    .pipe(
      Effect.catchTag(
        "WorktreeRefused",
        ({ lack, reason }): Effect.Effect<never, NoRoom | NotStarted> =>
          lack === undefined
            ? new NotStarted({
                reason: "workspace_unusable",
                detail: `adapter ${adapter.settings.id} has workspace "worktree", but ${reason}`,
                permanent: false
              })
            : new NoRoom({ what: reason, code: lack })
      )
    )
  return {
    cwd: Option.some(worktree.cwd),
    workingDir: Option.some(worktree.cwd),
    worktree: Option.some(worktree),
    changes: Effect.flatMap(
      yield* Effect.cached(Effect.forkIn(worktrees.changes(attemptId), yield* Effect.scope)),
      Fiber.join
    )
  } satisfies Site
})

/**
 * Where claims are looked for, and what they are judged by in the attempt's own worktree, where it has one. What is in
 * the place of that by now, or behind a link in the place of its working directory, is somebody else's: there they are
 * not looked for.
 */
export const claimGround = (
  site: Site
): Effect.Effect<Pick<Claim, "workingDir" | "worktree">, never, Workspace> =>
  Option.match(site.worktree, {
    onNone: () => Effect.succeed({ workingDir: site.workingDir, worktree: Option.none() }),
    onSome: ({ cwd, path }) =>
      Effect.gen(function* () {
        const changes = yield* site.changes
        const seen = yield* (yield* Workspace).observe(cwd)
        const isElsewhere =
          Option.exists(changes, ({ gone }) => gone) ||
          Option.exists(seen, ({ realPath }) => realPath !== cwd)
        return {
          workingDir: isElsewhere ? Option.none() : site.workingDir,
          worktree: Option.some({
            path,
            touched: (place: string) => Option.exists(changes, ({ touched }) => touched(place))
          })
        }
      })
  })
