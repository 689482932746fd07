import { SchemaAST as AST, Either, Option, ParseResult, Predicate, Schema } from "effect"
import { counted } from "../domain/Figure.ts"
import { type Excess, withoutExcess } from "./Excess.ts"
import { description, expected, isAbsence, keysOf, literals, structOf } from "./Expected.ts"
import { didYouMean, nearest, remedyFor } from "./NearMiss.ts"
import { found, pathText } from "./Shown.ts"

/** One thing that is wrong with a value, as data; `sentence` puts it into words. */
export const Problem = Schema.Struct({
  /** `rule`: `found` is a clause that says what is wrong. */
  kind: Schema.Literal("missing", "unknown", "unfit", "rule"),
  /** Dotted, with the keys as they stand in the input: `adapters.local.timeoutMs`, `[0]` for list items. */
  path: Schema.String,
  found: Schema.String,
  expected: Schema.String,
  /** What mends it, where that is known; else empty. */
  remedy: Schema.String
})
export type Problem = typeof Problem.Type

/** A value from outside that does not decode: everything that is wrong with it. */
export class Invalid extends Schema.TaggedError<Invalid>()("Invalid", { problems: Schema.Array(Problem) }) {
  override get message(): string {
    return this.problems.map(sentence).join("\n")
  }
}

/** A problem with its path as keys, for callers that look the place up. */
export interface Finding extends Problem {
  readonly at: ReadonlyArray<PropertyKey>
}

/**
 * Decodes input from outside; answers all problems at once, unknown keys among them: of an object that has very many of
 * these the first ones, and how many more.
 */
export const judge =
  <A, I>(schema: Schema.Schema<A, I>) =>
  (value: unknown): Either.Either<A, ReadonlyArray<Finding>> => {
    const { excess, value: judged } = withoutExcess(schema, value)
    return Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })(judged).pipe(
      Either.mapLeft((error) => [...findings(error.issue), ...excess.map(tooMany)])
    )
  }

const tooMany = ({ at, count }: Excess): Finding =>
  finding(
    "rule",
    at,
    `${counted(count)} more ${count === 1 ? "key that is" : "keys that are"} not known`,
    "known keys alone",
    ""
  )

/** As `judge`, with the problems as an error to fail with. */
export const decode =
  <A, I>(schema: Schema.Schema<A, I>) =>
  (value: unknown): Either.Either<A, Invalid> =>
    Either.mapLeft(judge(schema)(value), (list) => new Invalid({ problems: list.map(problemOf) }))

/**
 * As `decode`, with what is wrong with an object's fields together beside what is wrong with each: `rules` gets them as
 * they came, sound or not, and judges those that it can.
 */
export const decodeWith =
  <A, I>(
    schema: Schema.Schema<A, I>,
    rules: (fields: Readonly<Record<string, unknown>>) => ReadonlyArray<Problem>
  ) =>
  (value: unknown): Either.Either<A, Invalid> => {
    const read = decode(schema)(value)
    const apart = Either.isLeft(read) ? read.left.problems : []
    const all = [...apart, ...(Predicate.isReadonlyRecord(value) ? rules(value) : [])]
    return all.length === 0 ? read : Either.left(new Invalid({ problems: all }))
  }

/** A problem in one line, without its file. */
export const sentence = (problem: Problem): string => {
  const at = problem.path === "" ? "the value" : problem.path
  const remedy = problem.remedy === "" ? "" : `; ${problem.remedy}`
  switch (problem.kind) {
    case "missing":
      return problem.found === "nothing"
        ? `${at} is missing; expected ${problem.expected}${remedy}`
        : `${at} is missing (found ${problem.found}); expected ${problem.expected}${remedy}`
    case "unknown":
      return `${at} is not a known key${remedy === "" ? `; expected ${problem.expected}` : remedy}`
    case "unfit":
      return `${at}: found ${problem.found}; expected ${problem.expected}${remedy}`
    case "rule":
      return `${problem.path === "" ? "" : `${at}: `}${problem.found}; expected ${problem.expected}${remedy}`
  }
}

/** What is wrong; of a union only the member that was meant, and nothing twice. */
export const problems = (error: ParseResult.ParseError | ParseResult.ParseIssue): ReadonlyArray<Problem> =>
  findings(ParseResult.isParseError(error) ? error.issue : error).map(problemOf)

const findings = (issue: ParseResult.ParseIssue): ReadonlyArray<Finding> => {
  const seen = new Set<string>()
  return walk(issue, { path: [], expected: Option.none() }).filter((problem) => {
    const line = sentence(problem)
    return seen.has(line) ? false : seen.add(line)
  })
}

/** A finding as it is reported. */
export const problemOf = ({ at: _, ...problem }: Finding): Problem => problem

interface Place {
  readonly path: ReadonlyArray<PropertyKey>
  /** The outermost description since the last step down. */
  readonly expected: Option.Option<string>
}

const below = (place: Place, path: ParseResult.Path): Place => ({
  path: [...place.path, ...(isMany(path) ? path : [path])],
  expected: Option.none()
})

const isMany = <A>(some: A | ReadonlyArray<A>): some is ReadonlyArray<A> => Array.isArray(some)

const partsOf = (issue: ParseResult.Composite): ReadonlyArray<ParseResult.ParseIssue> =>
  isMany(issue.issues) ? issue.issues : [issue.issues]

const within = (place: Place, ast: AST.AST): Place =>
  Option.isSome(place.expected) ? place : { ...place, expected: description(ast) }

const walk = (issue: ParseResult.ParseIssue, place: Place): ReadonlyArray<Finding> => {
  switch (issue._tag) {
    case "Pointer":
      return walk(issue.issue, below(place, issue.path))
    case "Missing":
      return [problem("missing", place, "nothing", expected(issue.ast.type), "")]
    case "Unexpected":
      return [unknownKey(place, issue.actual, undefined)]
    case "Refinement":
    case "Transformation":
      return walk(issue.issue, within(place, issue.ast))
    case "Composite":
      return issue.ast._tag === "Union" ? chosen(issue, issue.ast, place) : parts(issue, place)
    case "Type":
    case "Forbidden":
      return [unfit(issue, place)]
  }
}

const problem = (
  kind: Problem["kind"],
  place: Place,
  shown: string,
  wanted: string,
  remedy: string
): Finding => finding(kind, place.path, shown, wanted, remedy)

/** A finding of a check that no schema makes. */
export const finding = (
  kind: Problem["kind"],
  at: ReadonlyArray<PropertyKey>,
  shown: string,
  wanted: string,
  remedy: string
): Finding => ({
  at,
  kind,
  path: pathText(at),
  found: shown,
  expected: wanted,
  remedy
})

const unfit = (issue: ParseResult.Type | ParseResult.Forbidden, place: Place): Finding => {
  const wanted = Option.getOrElse(place.expected, () => expected(issue.ast))
  if (issue.message !== undefined) return problem("rule", place, issue.message, wanted, "")
  const likely = typeof issue.actual === "string" ? nearest(issue.actual, offered(issue.ast)) : undefined
  const remedy = likely === undefined ? "" : didYouMean(likely)
  return problem("unfit", place, found(issue.actual, place.path), wanted, remedy)
}

/** The literal values among what a schema allows. */
const offered = (ast: AST.AST): ReadonlyArray<string> =>
  literals(ast) ?? (ast._tag === "Union" ? ast.types.flatMap((type) => literals(type) ?? []) : [])

const unknownKey = (place: Place, actual: unknown, ast: AST.TypeLiteral | undefined): Finding => {
  const key = String(place.path.at(-1))
  const parameter = ast?.indexSignatures[0]?.parameter
  const known = ast === undefined ? [] : keysOf(ast)
  const wanted = parameter === undefined ? "no such key" : `keys like this: ${expected(parameter)}`
  return problem(
    "unknown",
    place,
    found(actual, place.path),
    wanted,
    known.length === 0 ? "" : remedyFor(key, known, "keys")
  )
}

const parts = (issue: ParseResult.Composite, place: Place): ReadonlyArray<Finding> =>
  partsOf(issue).flatMap((part) =>
    part._tag === "Pointer" && part.issue._tag === "Unexpected"
      ? [unknownKey(below(place, part.path), part.issue.actual, structOf(issue.ast))]
      : walk(part, place)
  )

/** The part of an issue that names a struct or a list: what its shape was compared with. */
const shape = (issue: ParseResult.ParseIssue): ParseResult.Composite | undefined => {
  if (issue._tag === "Composite") return literals(issue.ast) === undefined ? issue : undefined
  return issue._tag === "Refinement" || issue._tag === "Transformation" ? shape(issue.issue) : undefined
}

const sharedKeys = (issue: ParseResult.ParseIssue, actual: unknown): number => {
  const compared = shape(issue)
  const struct = compared === undefined ? undefined : structOf(compared.ast)
  if (struct === undefined || typeof actual !== "object" || actual === null) return 0
  return keysOf(struct).filter((key) => Object.hasOwn(actual, key)).length
}

const isList = (ast: AST.AST): boolean =>
  AST.isRefinement(ast) || AST.isTransformation(ast)
    ? isList(ast.from)
    : AST.isTupleType(ast) || AST.isDeclaration(ast)

/**
 * Of a union only the member that the value was meant to be is judged: the one that its discriminator names,
 * else the only one of its shape, else the one that shares most keys with it; else the union as a whole.
 */
const chosen = (issue: ParseResult.Composite, ast: AST.Union, place: Place): ReadonlyArray<Finding> => {
  const inside = within(place, ast)
  // Of a list no discriminator is missed where none of the members is one.
  if (Array.isArray(issue.actual) && !ast.types.some(isList))
    return [unfit(new ParseResult.Type(ast, issue.actual), inside)]
  const issues = partsOf(issue).filter((part) => part._tag !== "Type" || !isAbsence(part.ast))
  if (issues.length === 1) return walk(issues[0]!, inside)
  const shaped = issues.filter((part) => shape(part) !== undefined)
  if (shaped.length === 1) return walk(shaped[0]!, { ...inside, expected: Option.none() })
  const ranked = shaped
    .map((part) => ({ part, shared: sharedKeys(part, issue.actual) }))
    .sort((a, b) => b.shared - a.shared)
  if (ranked[0] !== undefined && ranked[0].shared > (ranked[1]?.shared ?? 0))
    return walk(ranked[0].part, { ...inside, expected: Option.none() })
  const refined = issues.find((part) => part._tag === "Refinement" && part.kind === "Predicate")
  if (shaped.length === 0 && refined !== undefined) return walk(refined, inside)
  return [unfit(new ParseResult.Type(ast, issue.actual), inside)]
}
