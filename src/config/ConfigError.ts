import { Schema } from "effect"
import { Problem, sentence } from "./Issues.ts"
import { DEFAULT_CONFIG } from "./Paths.ts"

/** A problem and the file it stands in (absolute). */
export const FileProblem = Schema.Struct({ file: Schema.String, ...Problem.fields })
export type FileProblem = typeof FileProblem.Type

/** A problem in one line: file, key path, what was found, what was expected, what mends it. */
export const line = (problem: FileProblem): string => `${problem.file}: ${sentence(problem)}`

/** The configuration cannot be used; every problem of every file that it is made of. */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", {
  path: Schema.String,
  problems: Schema.Array(FileProblem)
}) {
  override get message(): string {
    return this.problems.map(line).join("\n")
  }
}

/** There is no configuration file at the path that was tried. */
export class ConfigMissing extends Schema.TaggedError<ConfigMissing>()("ConfigMissing", {
  path: Schema.String
}) {
  override get message(): string {
    return `there is no configuration file at ${this.path}; copying the example makes one: cp config/runtime.example.json ${quoted(this.path)}`
  }
}

/** The path as a shell takes it; the usual one as the README writes it. */
const quoted = (path: string): string => {
  if (path.endsWith(`/${DEFAULT_CONFIG}`)) return DEFAULT_CONFIG
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

/** A problem of a whole file, or of a place in it that has no key path. */
export const fileRule = (file: string, wrong: string, expected: string, remedy: string): FileProblem => ({
  file,
  kind: "rule",
  path: "",
  found: wrong,
  expected,
  remedy
})
