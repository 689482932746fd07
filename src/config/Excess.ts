import { SchemaAST as AST, type Schema } from "effect"
import { isObject } from "../domain/Json.ts"

/** Unknown keys of one object that are judged one by one: each costs the judging more than a known one does. */
const MOST = 40

/** An object that had more unknown keys than are judged, and how many of them were left out. */
export interface Excess {
  readonly at: ReadonlyArray<PropertyKey>
  readonly count: number
}

/**
 * A value without the unknown keys that are too many to be judged, and where they were: what a stranger sends must not
 * hold everybody else up. A value that has none is the same value.
 */
export const withoutExcess = <A, I>(schema: Schema.Schema<A, I>, value: unknown) => {
  const excess: Array<Excess> = []
  const trimmed = trim([encodedOf(schema.ast)], value, [], excess)
  return { value: trimmed, excess }
}

const known = new WeakMap<AST.AST, AST.AST>()

const encodedOf = (ast: AST.AST): AST.AST => {
  const made = known.get(ast) ?? AST.encodedAST(ast)
  known.set(ast, made)
  return made
}

/** What an AST may be, unions and suspended ones taken apart. */
const membersOf = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  if (ast._tag === "Union") return ast.types.flatMap(membersOf)
  return ast._tag === "Suspend" ? membersOf(ast.f()) : [ast]
}

const trim = (
  asts: ReadonlyArray<AST.AST>,
  value: unknown,
  at: ReadonlyArray<PropertyKey>,
  excess: Array<Excess>
): unknown => {
  const members = asts.flatMap(membersOf)
  if (Array.isArray(value)) return trimItems(members, value, at, excess)
  const structs = members.filter((ast) => ast._tag === "TypeLiteral")
  if (!isObject(value) || structs.length === 0 || !structs.every(namesKeys)) return value
  const properties = structs.flatMap(({ propertySignatures }) => propertySignatures)
  const typesOf = (key: string) => properties.filter(({ name }) => name === key).map(({ type }) => type)
  const unknown = Object.keys(value).filter((key) => properties.every(({ name }) => name !== key))
  const left = new Set(unknown.slice(MOST))
  if (left.size > 0) excess.push({ at, count: left.size })
  const entries = Object.entries(value)
  const trimmed = entries
    .filter(([key]) => !left.has(key))
    .map(([key, below]) => [key, trim(typesOf(key), below, [...at, key], excess)] as const)
  const isSame = left.size === 0 && trimmed.every(([, below], index) => below === entries[index]?.[1])
  return isSame ? value : Object.fromEntries(trimmed)
}

const trimItems = (
  members: ReadonlyArray<AST.AST>,
  items: ReadonlyArray<unknown>,
  at: ReadonlyArray<PropertyKey>,
  excess: Array<Excess>
): ReadonlyArray<unknown> => {
  const types = members.flatMap((ast) => (ast._tag === "TupleType" ? ast.rest : [])).map(({ type }) => type)
  if (!types.flatMap(membersOf).some(holdsMore)) return items
  const trimmed = items.map((item, index) => trim(types, item, [...at, index], excess))
  return trimmed.every((item, index) => item === items[index]) ? items : trimmed
}

/** Whether there can be keys within. */
const holdsMore = (ast: AST.AST): boolean => ast._tag === "TypeLiteral" || ast._tag === "TupleType"

/** Whether a struct names its keys itself: `{}` and `object` take any. */
const namesKeys = (ast: AST.TypeLiteral): boolean =>
  ast.indexSignatures.length === 0 && ast.propertySignatures.length > 0
