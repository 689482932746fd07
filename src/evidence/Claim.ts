import { DateTime, Effect, Option } from "effect"
import type { Observed } from "../artifact/ArtifactStore.ts"
import type { Assignment } from "../artifact/Declared.ts"
import { isInside, join } from "../artifact/FilePath.ts"
import type { AdapterMode } from "../domain/Attempt.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Profile } from "../domain/Profile.ts"
import type { Redactor } from "../domain/Redactor.ts"
import type { KnownFile } from "../domain/Task.ts"

/** What evidence is judged against: when the task's present round began, and what was known then. */
export interface RoundFacts {
  readonly roundStartedAt: DateTime.Utc
  readonly known: ReadonlyArray<KnownFile>
}

/** In a worktree that was made for the attempt every file is new: git tells what was changed there. */
export interface OwnWorktree {
  readonly path: string
  readonly touched: (path: string) => boolean
}

/** A completed outcome with all that its evidence is judged by. */
export interface Claim {
  readonly task: Assignment
  readonly outcome: Outcome
  readonly mode: AdapterMode
  readonly profile: Profile
  /** The prompt as the adapter was given it. */
  readonly promptText: string
  /** Absolute; where the attempt ran. None for adapters without hands. */
  readonly workingDir: Option.Option<string>
  readonly round: RoundFacts
  /** Whether the attempt changed what lies at an absolute path in a git worktree of its own, where it had one. */
  readonly worktree: Option.Option<OwnWorktree>
  /** Finds the adapter's secret values in what an agent wrote. */
  readonly secrets: Pick<Redactor, "isIdle" | "finder" | "holds">
  /** Masks secret values; what an issue quotes goes through it before it is cut. */
  readonly redact: (text: string) => string
}

/** Kernels stamp inodes with the time of their last tick, which lies up to so many milliseconds back. */
export const KERNEL_TICK_MS = 20

/** What lies at a path now. */
export interface Found {
  /** As it was named: relative to the artifact root, or absolute. */
  readonly path: string
  readonly observed: Observed
  readonly hash: Effect.Effect<Option.Option<string>>
}

/**
 * Whether what lies somewhere was really changed since the round began: by its change time, which no tool can
 * set back, and by its content where that was known. `root` is what the known paths are relative to.
 */
export const wasChanged = (round: RoundFacts, root: string, found: Found): Effect.Effect<boolean> => {
  if (!wasTouched(round, root, found)) return Effect.succeed(false)
  const before = Option.flatMap(knownOf(round, root, found), ({ sha256 }) => sha256)
  if (Option.isNone(before) || found.observed.kind !== "file") return Effect.succeed(true)
  return Effect.map(found.hash, (now) => !Option.contains(now, before.value))
}

/**
 * Whether something was written since the round began, be it what was there before; what was known to be missing was,
 * but for a link that now leads from there to a file that was somewhere else all the time.
 */
export const wasTouched = (
  round: RoundFacts,
  root: string,
  found: Pick<Found, "path" | "observed">
): boolean =>
  changedSince(round, found.observed) ||
  (wasMissing(round, root, found) && join(root, found.path) === found.observed.realPath)

/** Whether it is known that nothing was there when the round began. */
export const wasMissing = (
  round: RoundFacts,
  root: string,
  found: Pick<Found, "path" | "observed">
): boolean => Option.exists(knownOf(round, root, found), ({ sha256 }) => Option.isNone(sha256))

/** Where in a list of known files the first of each place stands, by the list and the root. */
const ranks = new WeakMap<RoundFacts["known"], Map<string, ReadonlyMap<string, number>>>()

const ranksOf = ({ known }: RoundFacts, root: string): ReadonlyMap<string, number> => {
  const byRoot = ranks.get(known) ?? new Map<string, ReadonlyMap<string, number>>()
  ranks.set(known, byRoot)
  const made =
    byRoot.get(root) ??
    // The first of a place is set last.
    new Map(known.map(({ path }, rank) => [join(root, path), rank] as const).reverse())
  byRoot.set(root, made)
  return made
}

const knownOf = (round: RoundFacts, root: string, { observed, path }: Pick<Found, "path" | "observed">) => {
  const all = ranksOf(round, root)
  const at = [observed.realPath, join(root, path)].flatMap((place) => all.get(place) ?? [])
  return Option.fromNullable(round.known[Math.min(...at)])
}

/** Whether git says that the attempt changed nothing at a place in its own worktree, whatever its times say. */
export const isUntouched = ({ worktree }: Pick<Claim, "worktree">, path: string): boolean =>
  Option.exists(worktree, (own) => isInside(own.path, path) && !own.touched(path))

/** By the change time alone. */
export const changedSince = (round: RoundFacts, observed: Observed): boolean =>
  observed.changedAtMs >= DateTime.toEpochMillis(round.roundStartedAt) - KERNEL_TICK_MS
