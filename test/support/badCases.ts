import { JSONSchema, Option, Schema, SchemaAST } from "effect"

type Json = { readonly [key: string]: unknown }

export type BadKind =
  | "missing"
  | "null"
  | "wrong type"
  | "blank"
  | "too long"
  | "out of range"
  | "not listed"
  | "near-miss key"

/** One wrong input, made from a good one by a change at one place. */
export interface BadCase {
  readonly name: string
  readonly kind: BadKind
  /** Where the problem is, as error messages write it. */
  readonly path: string
  /** The key that a near miss was meant to be; empty for other kinds. */
  readonly likely: string
  readonly input: unknown
}

export interface BadCaseOptions {
  /** null removes an optional key, so that it is no bad value for one. */
  readonly nullRemoves?: boolean
}

/**
 * Wrong inputs for each field of a schema: every key of `good` (which must decode) missing, null, of the wrong
 * type, blank, too long, out of range, not among the listed values, and beside it a misspelt key. Fields that
 * `good` does not have are tried with values of the wrong type and range only.
 */
export const badCases = <A, I, R>(
  schema: Schema.Schema<A, I, R>,
  good: unknown,
  options: BadCaseOptions = {}
): ReadonlyArray<BadCase> => {
  const root: Json = { ...JSONSchema.make(schema) }
  return fieldCases({ root, options, replace: (value) => value }, deref(root, root), good, "")
}

interface Context {
  readonly root: Json
  readonly options: BadCaseOptions
  /** Puts a value at this place of the whole input. */
  readonly replace: (value: unknown) => unknown
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const deref = (root: Json, schema: unknown): Json => {
  if (!isObject(schema)) return {}
  const name = typeof schema.$ref === "string" ? schema.$ref.replace("#/$defs/", "") : undefined
  return name !== undefined && isObject(root.$defs) ? { ...deref(root, root.$defs[name]), ...schema } : schema
}

/** Of several forms the one that the good value's `mode` or type picks. */
const formOf = (root: Json, schema: Json, value: unknown): Json => {
  const forms = Array.isArray(schema.anyOf) ? schema.anyOf.map((form) => deref(root, form)) : []
  return forms.find((form) => fits(root, form, value)) ?? schema
}

const fits = (root: Json, form: Json, value: unknown): boolean => {
  if (!isObject(value)) return form.type === (Number.isInteger(value) ? "integer" : typeof value)
  const properties = isObject(form.properties) ? form.properties : undefined
  return (
    properties !== undefined &&
    Object.entries(value).every(([key, item]) => {
      const property = deref(root, properties[key])
      return properties[key] !== undefined && (!Array.isArray(property.enum) || property.enum.includes(item))
    })
  )
}

const pathTo = (path: string, key: string): string =>
  /^[A-Za-z_$][\w$-]*$/.test(key) ? (path === "" ? key : `${path}.${key}`) : `${path}[${JSON.stringify(key)}]`

const swapped = (key: string): string => {
  const at = Math.max(1, key.length - 2)
  const near = key.slice(0, at) + key.slice(at + 1) + key[at]
  return near === key ? `${key}x` : near
}

const fieldCases = (context: Context, schema: Json, good: unknown, path: string): ReadonlyArray<BadCase> => {
  const form = formOf(context.root, schema, good)
  if (Array.isArray(good)) return good.length === 0 ? [] : itemCases(context, form, good, path)
  if (!isObject(good)) return []
  const properties = isObject(form.properties) ? form.properties : {}
  const required = Array.isArray(form.required) ? form.required : []
  // Without its only key nothing tells which form was meant: the problem is then that of the whole value.
  const alone = Array.isArray(schema.anyOf) && Object.keys(good).length === 1
  const declared = Object.keys(properties)
    .flatMap((key) =>
      keyCases(context, good, path, key, deref(context.root, properties[key]), required.includes(key))
    )
    .map((bad) =>
      alone && bad.kind === "missing" && path !== "" ? { ...bad, kind: "wrong type" as const, path } : bad
    )
  const named = isObject(form.patternProperties)
    ? Object.values(form.patternProperties)[0]
    : form.additionalProperties
  if (!isObject(named)) return declared
  const others = Object.keys(good).filter((key) => !(key in properties))
  return [
    ...declared,
    ...others.flatMap((key) => keyCases(context, good, path, key, deref(context.root, named), undefined))
  ]
}

const itemCases = (
  context: Context,
  form: Json,
  good: ReadonlyArray<unknown>,
  path: string
): ReadonlyArray<BadCase> => {
  const replace = (value: unknown) => context.replace([value, ...good.slice(1)])
  const item = deref(context.root, form.items)
  return [
    ...valueCases({ ...context, replace }, item, good[0], `${path}[0]`),
    ...fieldCases({ ...context, replace }, item, good[0], `${path}[0]`)
  ]
}

/** `required` is undefined for entries of a map, which may be absent and have no fixed names. */
const keyCases = (
  context: Context,
  good: Json,
  path: string,
  key: string,
  schema: Json,
  required: boolean | undefined
): ReadonlyArray<BadCase> => {
  const at = pathTo(path, key)
  const replace = (value: unknown) => context.replace({ ...good, [key]: value })
  const inner = { ...context, replace }
  const { [key]: present, ...rest } = good
  const of = (kind: BadKind, place: string, likely: string, input: unknown): BadCase => ({
    name: `${at}: ${kind}`,
    kind,
    path: place,
    likely,
    input
  })
  const missing = required === true ? [of("missing", at, "", context.replace(rest))] : []
  const allowsNull = context.options.nullRemoves === true && required !== true
  const nothing = allowsNull || isNullable(context.root, schema) ? [] : [of("null", at, "", replace(null))]
  const near = swapped(key)
  const misspelt =
    required === undefined
      ? []
      : [of("near-miss key", pathTo(path, near), key, context.replace({ ...good, [near]: present ?? 1 }))]
  return [
    ...missing,
    ...nothing,
    ...misspelt,
    ...valueCases(inner, schema, present, at),
    ...fieldCases(inner, schema, present, at)
  ]
}

const isNullable = (root: Json, schema: Json): boolean => {
  const forms = Array.isArray(schema.anyOf) ? schema.anyOf.map((form) => deref(root, form)) : [schema]
  return forms.some((form) => form.type === "null" || form.type === undefined)
}

const valueCases = (
  context: Context,
  schema: Json,
  present: unknown,
  path: string
): ReadonlyArray<BadCase> => {
  const form = formOf(context.root, schema, present)
  const of = (kind: BadKind, value: unknown): BadCase => ({
    name: `${path}: ${kind}`,
    kind,
    path,
    likely: "",
    input: context.replace(value)
  })
  const number = form.type === "integer" || form.type === "number"
  return [
    ...(typesOf(context.root, schema).size === 0
      ? []
      : [of("wrong type", wrongType(typesOf(context.root, schema)))]),
    ...(Array.isArray(form.enum) ? [of("not listed", "no-such-value")] : []),
    ...(typeof form.minLength === "number" && form.minLength > 0 ? [of("blank", "")] : []),
    ...(typeof form.maxLength === "number" ? [of("too long", "x".repeat(form.maxLength + 1))] : []),
    ...(number && typeof form.minimum === "number" ? [of("out of range", form.minimum - 1)] : []),
    ...(number && typeof form.maximum === "number" ? [of("out of range", above(form.maximum))] : [])
  ]
}

/** Beyond the integers that a number holds digits are refused as text; with an exponent it is for the field to judge. */
const above = (most: number): number => (most === Number.MAX_SAFE_INTEGER ? 1e21 : most + 1)

const typesOf = (root: Json, schema: Json): ReadonlySet<unknown> => {
  const forms = Array.isArray(schema.anyOf) ? schema.anyOf.map((form) => deref(root, form)) : [schema]
  return forms.some((form) => form.type === undefined) ? new Set() : new Set(forms.map((form) => form.type))
}

const wrongType = (types: ReadonlySet<unknown>): unknown => {
  if (!types.has("boolean")) return true
  return types.has("string") ? [] : "yes"
}

/** The wire's keys of a struct schema, for tests that count on every field. */
export const wireKeys = <A, I, R>(schema: Schema.Schema<A, I, R>): ReadonlyArray<string> =>
  Option.match(Option.liftPredicate(Schema.encodedSchema(schema).ast, SchemaAST.isTypeLiteral), {
    onNone: () => [],
    onSome: (struct) => struct.propertySignatures.map((property) => String(property.name))
  })
