import { Effect, Option } from "effect"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import { isSummaryOnly } from "../artifact/Declared.ts"
import { namesFolder } from "../artifact/FilePath.ts"
import { quoted } from "../domain/Abridged.ts"
import { traced } from "../domain/Traced.ts"
import { type Claim, changedSince, isUntouched, wasChanged } from "./Claim.ts"
import { type FileChange, readChange } from "./FileChange.ts"
import { type FindPlaces, type Place, placesIn, whyNowhere } from "./Places.ts"
import { secretIssues } from "./SecretScan.ts"

/** More entries than this are not looked at, and block. */
const MOST_ENTRIES = 10_000

/** What is wrong with the changes that an outcome reports, a sentence each: claims without an effect, and forbidden ones. */
export const fileChangeIssues = traced("Evidence.fileChangeIssues")(function* (claim: Claim) {
  const entries = claim.outcome.fileChanges
  if (entries.length > MOST_ENTRIES)
    return [
      `file_changes_too_many: ${entries.length} file changes are reported; at most ${MOST_ENTRIES} can be verified.`
    ]
  const issues: Array<string> = []
  const named: Array<string> = []
  const scanned = new Set<string>()
  const find = yield* placesIn(claim.workingDir)
  for (const entry of entries)
    for (const change of readChange(entry)) {
      const meant = yield* meaningOf(change, claim, find)
      if (Option.isNone(meant)) continue
      named.push(meant.value.path)
      issues.push(...(yield* judge(change, meant.value, claim, scanned)))
    }
  return [...forbidden(claim, named), ...issues]
})

interface Meaning {
  readonly path: string
  readonly places: ReadonlyArray<Place>
}

const exists = (path: string) => (place: Place) =>
  Option.exists(place.observed, ({ kind }) => path.includes("/") || kind === "file")

// SPEC.md lets text without a slash that names no file be a remark, and wants claims without an effect caught:
// a verb before the name of a file ("created: notes.md") is a claim, "created: nothing" a remark. A file that was deleted
// is not there either way: "deleted: notes.md" is a claim where something was deleted, which a profile may forbid.
const claimsFile = (change: FileChange, { path, places }: Meaning, claim: Claim): boolean =>
  /^[^\s/]+\.[A-Za-z0-9]{1,8}$/.test(path) &&
  Option.exists(
    change.verb,
    (verb) =>
      verb !== "deleted" ||
      judgedForDeletion(places).some((place) => Option.isNone(deletionProblem(path, place, claim)))
  )

/** The path that an entry names; none when the entry is a remark. */
const meaningOf = Effect.fnUntraced(function* (change: FileChange, claim: Claim, find: FindPlaces) {
  let last: Meaning = { path: "", places: [] }
  for (const path of change.paths) {
    last = { path, places: path === "" ? [] : yield* find(path) }
    if (last.places.some(exists(path))) return Option.some(last)
  }
  const named = last.path.includes("/") || last.path.includes("\0") || claimsFile(change, last, claim)
  return named ? Option.some(last) : Option.none()
})

const forbidden = (claim: Claim, named: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (named.length === 0) return []
  const paths = `${named
    .slice(0, 3)
    .map((path) => quoted(claim.redact(path)))
    .join(", ")}${named.length > 3 ? `, and ${named.length - 3} more` : ""}`
  const issues: Array<string> = []
  if (claim.profile.toolPolicy.allow_repo_changes === false)
    issues.push(
      `repo_changes_not_allowed: file changes are reported (${paths}), but the profile "${claim.profile.profileId}" says tool_policy.allow_repo_changes false.`
    )
  if (isSummaryOnly(claim.task.kind))
    issues.push(
      `summary_only: file changes are reported (${paths}), but a task of kind "${claim.task.kind}" has nothing but a summary to give.`
    )
  return issues
}

const judge = Effect.fnUntraced(function* (
  change: FileChange,
  { path, places }: Meaning,
  claim: Claim,
  scanned: Set<string>
) {
  const name = quoted(claim.redact(path))
  if (places.length === 0) {
    const { issue, why } = yield* whyNowhere(path)
    return [`${issue}: the changed file ${name} ${why}.`]
  }
  const deleted = Option.contains(change.verb, "deleted")
  const isFile = present(places).every((place) =>
    Option.exists(place.observed, ({ kind }) => kind === "file")
  )
  if (!deleted && isFile && namesFolder(path))
    return [
      `file_change_missing: the changed folder ${name} does not exist: a file is there, and a path that ends so names a folder.`
    ]
  const problems: Array<string> = []
  for (const place of deleted ? judgedForDeletion(places) : present(places)) {
    const problem = deleted ? deletionProblem(name, place, claim) : yield* changeProblem(name, place, claim)
    if (Option.isNone(problem)) return deleted ? [] : yield* secretsIn(name, place, claim, scanned)
    problems.push(problem.value)
  }
  return problems.slice(0, 1)
})

/** A file that several entries name is looked through once. */
const secretsIn = (name: string, { observed, scan }: Place, claim: Claim, scanned: Set<string>) => {
  if (Option.isNone(observed) || observed.value.kind !== "file") return Effect.succeed([])
  const { realPath } = observed.value
  if (scanned.has(realPath)) return Effect.succeed([])
  scanned.add(realPath)
  return secretIssues(`the changed file ${name}`, { path: realPath, scan }, claim.secrets)
}

/** What exists comes first: its problem is the one worth telling. */
const present = (places: ReadonlyArray<Place>) => {
  const there = places.filter((place) => Option.isSome(place.observed))
  return there.length > 0 ? there : places
}

/** Where the folder still stands, a deletion left its mark; a folder far above says little. */
const judgedForDeletion = (places: ReadonlyArray<Place>) => {
  const standing = places.filter((place) => Option.exists(place.above, ({ direct }) => direct))
  return standing.length > 0 ? standing : places.slice(0, 1)
}

const outside = (name: string) =>
  `file_change_outside: the changed file ${name} leads out of the adapter's working directory and the artifact root through a symlink.`

const changeProblem = Effect.fnUntraced(function* (name: string, place: Place, claim: Claim) {
  const { root } = yield* ArtifactStore
  if (!place.inside) return Option.some(outside(name))
  if (Option.isNone(place.observed))
    return Option.some(`file_change_missing: the changed file ${name} does not exist.`)
  const found = { path: place.path, observed: place.observed.value, hash: place.hash }
  const changed =
    !isUntouched(claim, found.observed.realPath) && (yield* wasChanged(claim.round, root, found))
  return changed
    ? Option.none<string>()
    : Option.some(
        `file_change_without_effect: the file ${name} is reported as changed, but it has not changed since the round began.`
      )
})

/** A deletion shows in the change time of the folder that held the file. */
const deletionProblem = (name: string, place: Place, claim: Claim): Option.Option<string> => {
  if (!place.inside) return Option.some(outside(name))
  if (Option.isSome(place.observed))
    return Option.some(
      `file_change_without_effect: the file ${name} is reported as deleted and still exists.`
    )
  const deletedThere =
    !isUntouched(claim, place.path) &&
    Option.exists(place.above, ({ observed }) => changedSince(claim.round, observed))
  return deletedThere
    ? Option.none()
    : Option.some(
        `file_change_without_effect: the file ${name} is reported as deleted, but nothing was deleted there since the round began.`
      )
}
