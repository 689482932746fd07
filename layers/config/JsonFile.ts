import { Either } from "effect"
import { type FileProblem, fileRule } from "../../src/config/ConfigError.ts"
import { parseJson } from "../../src/config/JsonText.ts"
import { isObject } from "../../src/domain/Json.ts"
import { readText } from "./TextFile.ts"

/**
 * What is at a path is no JSON object. `astray` is why a path that something else names leads to no file; what is wrong
 * with a file itself stands in `problems`, which are none where nothing is there.
 */
export interface NoObject {
  readonly astray: string | undefined
  readonly problems: ReadonlyArray<FileProblem>
}

/** The JSON object in a file; syntax faults name line and column. */
export const readObject = (path: string): Either.Either<Readonly<Record<string, unknown>>, NoObject> =>
  Either.flatMap(text(path), (source) =>
    Either.mapLeft(parseJson(source), (faults) =>
      faulty(
        faults.map((fault) => ({
          ...fileRule(path, fault.wrong, fault.expected, fault.remedy),
          path: `line ${fault.line}, column ${fault.column}`
        }))
      )
    )
  ).pipe(
    Either.flatMap((value) =>
      isObject(value)
        ? Either.right(value)
        : Either.left(faulty([fileRule(path, "it holds no object", "an object in braces", "")]))
    )
  )

const text = (path: string): Either.Either<string, NoObject> =>
  Either.mapLeft(readText(path), ({ absent, expected, isFolder, remedy, wrong }): NoObject => {
    if (absent) return { astray: `there is no file at ${path}`, problems: [] }
    const problems = [fileRule(path, wrong, expected, remedy)]
    return isFolder ? { astray: `${path} is a folder`, problems } : faulty(problems)
  })

const faulty = (problems: ReadonlyArray<FileProblem>): NoObject => ({ astray: undefined, problems })
