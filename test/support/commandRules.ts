import { Either } from "effect"
import { parse } from "../../src/cli/Arguments.ts"
import { camel, type Definition, globalOptions } from "../../src/cli/Command.ts"
import { width } from "../../src/cli/Width.ts"

const MOST_SUMMARY = 60
/** The help breaks an example between its words only. */
const MOST_WORD = 72

const twice = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.filter((word, at) => words.indexOf(word) !== at)

/** Words of an example as a shell would hand them over: blanks part, quotes hold together. */
const wordsOf = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, "$1$2")
  )

const exampleFaults = (
  program: string,
  definitions: ReadonlyArray<Definition>,
  { name, example }: Definition
): ReadonlyArray<string> => {
  const line = example.replace(/ > \S+$/, "")
  const [first, ...argv] = wordsOf(line.split(" | ").at(-1) ?? "")
  if (first !== program) return [`${name}: its example does not begin with ${program}`]
  const parsed = parse(definitions, argv)
  if (Either.isLeft(parsed)) return [`${name}: its example is wrong usage: ${parsed.left.message}`]
  return parsed.right._tag === "Run" && parsed.right.definition.name === name
    ? []
    : [`${name}: its example is of another command`]
}

/** What definitions do against the rules that the parser and the help rely on, a sentence each. */
export const definitionFaults = (
  program: string,
  definitions: ReadonlyArray<Definition>
): ReadonlyArray<string> => [
  ...twice(definitions.map((one) => one.name)).map((name) => `${name}: there are two of it`),
  ...definitions.flatMap((one) => {
    const inputs = [...one.arguments, ...one.options].map((each) => camel(each.name))
    const options = [...one.options, ...globalOptions]
    const late = one.arguments.findIndex((each) => !each.required)
    return [
      ...twice(inputs).map((name) => `${one.name}: two of its inputs are named ${name}`),
      ...twice(options.map((each) => each.name)).map((name) => `${one.name}: --${name} is there twice`),
      ...twice(
        options.flatMap((each) => ("short" in each && each.short !== undefined ? [each.short] : []))
      ).map((short) => `${one.name}: -${short} is there twice`),
      ...one.options
        .filter((each) => !/^[a-z][a-z0-9_-]*$/.test(each.name))
        .map((each) => `${one.name}: --${each.name} is no name for an option`),
      ...(late >= 0 && one.arguments.slice(late).some((each) => each.required)
        ? [`${one.name}: an argument that must be given stands behind one that may be left out`]
        : []),
      ...(width(one.summary) > MOST_SUMMARY || /[.\n]$/.test(one.summary)
        ? [`${one.name}: its summary is one line of at most ${MOST_SUMMARY} characters without a full stop`]
        : []),
      ...(wordsOf(one.example).some((word) => width(word) > MOST_WORD)
        ? [`${one.name}: a word of its example has more than ${MOST_WORD} characters`]
        : []),
      ...exampleFaults(program, definitions, one)
    ]
  })
]
