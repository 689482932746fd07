type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value

const schemaOf = (value: unknown): Json => {
  if (!isObject(value)) throw new Error(`no schema: ${JSON.stringify(value)}`)
  return value
}
const objectOf = (value: unknown): Json => (isObject(value) ? value : {})
const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])
const lengthOf = (value: string): number => Array.from(value).length

type Keyword = (operand: unknown, value: unknown, schema: Json, root: Json) => boolean

const none: Keyword = () => true
const each =
  (holds: (key: string, child: unknown, operand: unknown, schema: Json, root: Json) => boolean): Keyword =>
  (operand, value, schema, root) =>
    !isObject(value) ||
    Object.entries(value).every(([key, child]) => holds(key, child, operand, schema, root))
const ofNumbers =
  (holds: (value: number, operand: number) => boolean): Keyword =>
  (operand, value) =>
    typeof value !== "number" || holds(value, Number(operand))
const ofTexts =
  (holds: (value: string, operand: unknown) => boolean): Keyword =>
  (operand, value) =>
    typeof value !== "string" || holds(value, operand)

const isKnown = (key: string, schema: Json): boolean =>
  key in objectOf(schema.properties) ||
  Object.keys(objectOf(schema.patternProperties)).some((pattern) => new RegExp(pattern, "u").test(key))

/** What our generated schemas use of JSON Schema (draft 2020-12). */
const KEYWORDS: Readonly<Record<string, Keyword>> = {
  $schema: none,
  $id: none,
  $defs: none,
  title: none,
  description: none,
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, which stands beside `if`
  then: none,
  $ref: (to, value, _, root) =>
    accepts(schemaOf(objectOf(root.$defs)[String(to).replace("#/$defs/", "")]), value, root),
  type: (type, value) => (type === "integer" ? Number.isInteger(value) : typeOf(value) === type),
  enum: (values, value) => listOf(values).includes(value),
  const: (wanted, value) => wanted === value,
  required: (keys, value) => !isObject(value) || listOf(keys).every((key) => String(key) in value),
  properties: each((key, child, properties, _, root) => {
    const schema = objectOf(properties)[key]
    return schema === undefined || accepts(schemaOf(schema), child, root)
  }),
  patternProperties: each((key, child, patterns, _, root) =>
    Object.entries(objectOf(patterns)).every(
      ([pattern, schema]) => !new RegExp(pattern, "u").test(key) || accepts(schemaOf(schema), child, root)
    )
  ),
  propertyNames: each((key, _, names, _schema, root) => accepts(schemaOf(names), key, root)),
  additionalProperties: each(
    (key, child, more, schema, root) =>
      isKnown(key, schema) || (more !== false && accepts(schemaOf(more), child, root))
  ),
  items: (items, value, _, root) =>
    !Array.isArray(value) || value.every((item) => accepts(schemaOf(items), item, root)),
  minItems: (least, value) => !Array.isArray(value) || value.length >= Number(least),
  allOf: (all, value, _, root) => listOf(all).every((one) => accepts(schemaOf(one), value, root)),
  anyOf: (all, value, _, root) => listOf(all).some((one) => accepts(schemaOf(one), value, root)),
  oneOf: (all, value, _, root) =>
    listOf(all).filter((one) => accepts(schemaOf(one), value, root)).length === 1,
  not: (schema, value, _, root) => !accepts(schemaOf(schema), value, root),
  if: (asked, value, { then }, root) =>
    !accepts(schemaOf(asked), value, root) || then === undefined || accepts(schemaOf(then), value, root),
  minimum: ofNumbers((value, least) => value >= least),
  maximum: ofNumbers((value, most) => value <= most),
  exclusiveMinimum: ofNumbers((value, least) => value > least),
  minLength: ofTexts((value, least) => lengthOf(value) >= Number(least)),
  maxLength: ofTexts((value, most) => lengthOf(value) <= Number(most)),
  pattern: ofTexts((value, pattern) => new RegExp(String(pattern), "u").test(value))
}

/** Whether a JSON Schema accepts a value. A keyword that it does not know is an error, not a pass. */
export const accepts = (schema: Json, value: unknown, root: Json = schema): boolean =>
  Object.entries(schema).every(([name, operand]) => {
    const keyword = KEYWORDS[name]
    if (keyword === undefined) throw new Error(`unknown keyword ${name}`)
    return keyword(operand, value, schema, root)
  })
