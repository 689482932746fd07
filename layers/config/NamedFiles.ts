import { statSync } from "node:fs"
import { isAbsolute, join } from "node:path"
import { Either } from "effect"
import type { FileProblem } from "../../src/config/ConfigError.ts"
import { fileOf } from "../../src/config/Extends.ts"
import { type Finding, finding, problemOf } from "../../src/config/Issues.ts"
import { placeAt, type Where } from "../../src/config/Resolve.ts"
import { readObject } from "./JsonFile.ts"

/** What the files under a key of the configuration hold, by the ids that it gives them. */
export interface NamedFiles<A> {
  readonly byId: ReadonlyMap<string, A>
  readonly problems: ReadonlyArray<FileProblem>
}

/** Decodes what a file holds under its id; everything that is wrong with it. */
export type Judge<A> = (id: string, value: unknown) => Either.Either<A, ReadonlyArray<Finding>>

/**
 * Reads the files that a merged configuration names under `key` (`noun` is what each of them is). A value that
 * is no path is left to the configuration's own schema.
 */
export const readNamed = <A>(
  key: "profiles" | "workflows",
  noun: string,
  judged: Judge<A>,
  config: Readonly<Record<string, unknown>>,
  where: Where
): NamedFiles<A> => {
  const under = config[key]
  const named = typeof under === "object" && under !== null ? Object.entries(under) : []
  const byId = new Map<string, A>()
  const problems: Array<FileProblem> = []
  for (const [id, given] of named) {
    if (typeof given !== "string" || given.trim() === "") continue
    const found = readOne([key, id], noun, given, where, (value) => judged(id, value))
    if (Either.isRight(found)) byId.set(id, found.right)
    else problems.push(...found.left)
  }
  return { byId, problems }
}

/** The original read a configuration in `config/` from the folder above it: what is there was likely meant. */
const besideParent = (where: Where, at: ReadonlyArray<string>, given: string): string | undefined => {
  if (isAbsolute(given) || given.startsWith("~")) return undefined
  const { path } = placeAt(where, at, join("..", given))
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
    ? `${join("..", given)} (${path})`
    : undefined
}

const readOne = <A>(
  at: ReadonlyArray<string>,
  noun: string,
  given: string,
  where: Where,
  judged: (value: unknown) => Either.Either<A, ReadonlyArray<Finding>>
): Either.Either<A, ReadonlyArray<FileProblem>> => {
  const { path } = placeAt(where, at, given)
  const value = readObject(path)
  if (Either.isRight(value))
    return Either.mapLeft(judged(value.right), (findings) =>
      findings.map((found) => ({ file: path, ...problemOf(found) }))
    )
  const { astray, problems } = value.left
  if (astray === undefined) return Either.left(problems)
  const likely = besideParent(where, at, given)
  const remedy =
    likely === undefined
      ? astray
      : `${astray} (paths count from the folder of the file that holds them); there is one at ${likely}`
  const absent = finding("unfit", at, JSON.stringify(given), `the path of a ${noun} file`, remedy)
  return Either.left([{ file: fileOf(where.origin, at), ...problemOf(absent) }])
}
