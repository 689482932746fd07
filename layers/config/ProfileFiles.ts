import { Either } from "effect"
import type { FileProblem } from "../../src/config/ConfigError.ts"
import { fileOf } from "../../src/config/Extends.ts"
import { finding, judge, problemOf } from "../../src/config/Issues.ts"
import { misnamed } from "../../src/config/References.ts"
import { placeAt, type Where } from "../../src/config/Resolve.ts"
import { Profile } from "../../src/domain/Profile.ts"
import { readObject } from "./JsonFile.ts"

export interface Profiles {
  readonly byId: ReadonlyMap<string, Profile>
  readonly problems: ReadonlyArray<FileProblem>
}

/** The profile files that a merged configuration names; a value that is no path is left to its schema. */
export const readProfiles = (config: Readonly<Record<string, unknown>>, where: Where): Profiles => {
  const named =
    typeof config.profiles === "object" && config.profiles !== null ? Object.entries(config.profiles) : []
  const byId = new Map<string, Profile>()
  const problems: Array<FileProblem> = []
  for (const [id, given] of named) {
    if (typeof given !== "string" || given.trim() === "") continue
    const profile = readProfile(id, given, where)
    if (Either.isRight(profile)) byId.set(id, profile.right)
    else problems.push(...profile.left)
  }
  return { byId, problems }
}

const readProfile = (
  id: string,
  given: string,
  where: Where
): Either.Either<Profile, ReadonlyArray<FileProblem>> => {
  const at = ["profiles", id]
  const { path } = placeAt(where, at, given)
  const value = readObject(path)
  if (Either.isLeft(value)) {
    if (value.left._tag === "Faulty") return Either.left(value.left.problems)
    const absent = finding(
      "unfit",
      at,
      JSON.stringify(given),
      "the path of a profile file",
      `there is no file at ${path}`
    )
    return Either.left([{ file: fileOf(where.origin, at), ...problemOf(absent) }])
  }
  const inFile = Either.mapLeft(judge(Profile)(value.right), (findings) =>
    findings.map((found) => ({ file: path, ...problemOf(found) }))
  )
  return Either.flatMap(inFile, (profile) => {
    const wrong = misnamed(id, profile.profileId)
    return wrong.length === 0
      ? Either.right(profile)
      : Either.left(wrong.map((found) => ({ file: path, ...problemOf(found) })))
  })
}
