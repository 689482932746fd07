import { Either } from "effect"
import { type FileProblem, fileRule } from "../../src/config/ConfigError.ts"
import { parseJson } from "../../src/config/JsonText.ts"
import { readText } from "./TextFile.ts"

/** Nothing is at the path (the caller says what named it), or what is there is no JSON object. */
export type NoObject =
  | { readonly _tag: "Absent" }
  | {
      readonly _tag: "Faulty"
      readonly problems: ReadonlyArray<FileProblem>
      /** It is a folder: what is wrong may be the path that leads to it. */
      readonly isFolder: boolean
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
  Either.mapLeft(
    readText(path),
    (fault): NoObject =>
      fault.absent
        ? { _tag: "Absent" }
        : faulty([fileRule(path, fault.wrong, fault.expected, fault.remedy)], fault.isFolder)
  )

const faulty = (problems: ReadonlyArray<FileProblem>, isFolder = false): NoObject => ({
  _tag: "Faulty",
  problems,
  isFolder
})

/** Why a path that something else names leads to no file; undefined where it does, whatever is wrong with that. */
export const astray = (path: string, found: NoObject): string | undefined => {
  if (found._tag === "Absent") return `there is no file at ${path}`
  return found.isFolder ? `${path} is a folder` : undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
