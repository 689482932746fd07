import { SchemaAST as AST, Option } from "effect"

const KEYWORDS: Partial<Record<AST.AST["_tag"], string>> = {
  StringKeyword: "text",
  NumberKeyword: "a number",
  BooleanKeyword: "true or false",
  ObjectKeyword: "an object",
  UndefinedKeyword: "nothing",
  NeverKeyword: "nothing",
  UnknownKeyword: "any value",
  AnyKeyword: "any value"
}

/** Members of a union that stand for absence; they never explain what was expected. */
export const isAbsence = (ast: AST.AST): boolean =>
  ast._tag === "UndefinedKeyword" || (ast._tag === "Literal" && ast.literal === null)

/** The literal values that a schema allows, when it allows nothing else. */
export const literals = (ast: AST.AST): ReadonlyArray<string> | undefined => {
  if (ast._tag === "Literal") return [String(ast.literal)]
  if (ast._tag !== "Union") return undefined
  const members = ast.types.filter((type) => !isAbsence(type))
  if (members.length === 0 || !members.every((type) => type._tag === "Literal")) return undefined
  return members.map((type) => String(type.literal))
}

/** The description that a schema's author gave it; keywords have only built-in ones, which are left out. */
export const description = (ast: AST.AST): Option.Option<string> =>
  ast._tag in KEYWORDS || literals(ast) !== undefined
    ? Option.none()
    : Option.map(AST.getDescriptionAnnotation(ast), String)

const union = (ast: AST.Union): string => {
  const members = ast.types.filter((type) => !isAbsence(type))
  return [...new Set((members.length === 0 ? ast.types : members).map(expected))].join(" or ")
}

const list = (ast: AST.TupleType): string => {
  const item = ast.rest[0]
  return item === undefined || item.type._tag in KEYWORDS === false
    ? "a list"
    : `a list, each item ${expected(item.type)}`
}

/** What a schema accepts, in words that end a sentence: its description, else a rendering of its parts. */
export const expected = (ast: AST.AST): string => {
  const values = literals(ast)
  if (values !== undefined) return values.length === 1 ? `\`${values[0]}\`` : `one of ${values.join(", ")}`
  const said = description(ast)
  if (Option.isSome(said)) return said.value
  switch (ast._tag) {
    case "Refinement":
    case "Transformation":
      return expected(ast.from)
    case "Suspend":
      return expected(ast.f())
    case "Union":
      return union(ast)
    case "TupleType":
      return list(ast)
    case "TypeLiteral":
      return "an object"
    default:
      return KEYWORDS[ast._tag] ?? String(ast)
  }
}

/** The struct behind refinements and transformations, on the side that input has. */
export const structOf = (ast: AST.AST): AST.TypeLiteral | undefined => {
  if (ast._tag === "TypeLiteral") return ast
  if (ast._tag === "Refinement" || ast._tag === "Transformation") return structOf(ast.from)
  return ast._tag === "Suspend" ? structOf(ast.f()) : undefined
}

/** Keys that a struct names, as they stand on the wire. */
export const keysOf = (ast: AST.TypeLiteral): ReadonlyArray<string> =>
  ast.propertySignatures.map((property) => String(property.name))
