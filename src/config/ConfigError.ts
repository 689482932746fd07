import { Schema } from "effect"
import { Problem, sentence } from "./Issues.ts"
import { DEFAULT_CONFIG, folderOf } from "./Paths.ts"

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

/** There is no configuration file at the path that was tried. `example` is where the example lies, if it was found. */
export class ConfigMissing extends Schema.TaggedError<ConfigMissing>()("ConfigMissing", {
  path: Schema.String,
  example: Schema.optional(Schema.String)
}) {
  override get message(): string {
    return `there is no configuration file at ${this.path}; ${remedy(this)}`
  }
}

/** A copy finds what it names only beside the example; elsewhere a file that extends it does. */
const remedy = ({
  example,
  path
}: {
  readonly path: string
  readonly example?: string | undefined
}): string => {
  if (path.endsWith(`/${DEFAULT_CONFIG}`))
    return `copying the example makes one: cp ${EXAMPLE_CONFIG} ${DEFAULT_CONFIG}`
  if (folderOf(path).endsWith("/config"))
    return `copying the example makes one: cp ${EXAMPLE_CONFIG} ${quoted(path)}`
  const copying = `copying ${EXAMPLE_CONFIG} makes one in its folder`
  return example === undefined
    ? `${copying}; anywhere, agent-runtime agent-init NAME makes one with all that it needs`
    : `${copying}; here, one that extends it: printf '%s\\n' ${quoted(JSON.stringify({ extends: example }))} > ${quoted(path)}`
}

const EXAMPLE_CONFIG = "config/runtime.example.json"

/** A word as a shell takes it. */
const quoted = (word: string): string =>
  /^[\w./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** A problem of a whole file, or of a place in it that has no key path. */
export const fileRule = (file: string, wrong: string, expected: string, remedy: string): FileProblem => ({
  file,
  kind: "rule",
  path: "",
  found: wrong,
  expected,
  remedy
})
