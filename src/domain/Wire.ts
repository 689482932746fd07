import { Schema } from "effect"

type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${SnakeCase<Tail>}`
    : `_${Lowercase<Head>}${SnakeCase<Tail>}`
  : S

type WireEncoded<Fields extends Schema.Struct.Fields> = {
  readonly [K in keyof Schema.Struct.Encoded<Fields> as K extends string
    ? SnakeCase<K>
    : never]: Schema.Struct.Encoded<Fields>[K]
}

/** The wire's name of a field: `attemptCount` is `attempt_count`. */
export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/**
 * A struct that is camelCase in code and snake_case on the wire. It is the one place where names change
 * case: records, outcomes, profiles and intents are all made with it, and so is the JSON Schema of each.
 */
export const wireStruct = <Fields extends Schema.Struct.Fields>(
  fields: Fields
): Schema.Schema<Schema.Struct.Type<Fields>, WireEncoded<Fields>, Schema.Struct.Context<Fields>> => {
  const renamed: Record<string, Schema.Struct.Field> = {}
  for (const [name, field] of Object.entries(fields)) {
    const wire = snakeCase(name)
    renamed[name] =
      wire === name
        ? field
        : Schema.isPropertySignature(field)
          ? Schema.fromKey(field as never, wire as never)
          : Schema.fromKey(Schema.propertySignature(field as Schema.Schema.Any), wire)
  }
  return Schema.Struct(renamed) as never
}

// Half of all fields are texts or times that may be absent: made and compiled once for each schema instead of for
// each field, they are a tenth of what a short command would make.
const nullables = new WeakMap<object, unknown>()

/** A value that is absent as `null` on the wire and as `Option.none()` in code; the key is always there. */
export const nullable = <A, I, R>(schema: Schema.Schema<A, I, R>): Schema.OptionFromNullOr<typeof schema> => {
  const known = nullables.get(schema)
  if (known !== undefined) return known as Schema.OptionFromNullOr<typeof schema>
  const made = Schema.OptionFromNullOr(schema)
  nullables.set(schema, made)
  return made
}

/**
 * Makes something when it is first asked for, once. Codecs are made so where a command may never need them:
 * compiling all of them would be much of a short command's start.
 */
export const onFirstUse = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/**
 * A schema that is made when it is first used, with all that it consists of. So are those of records: most commands
 * meet few of them.
 */
export const whenUsed = <A, I, R>(make: () => Schema.Schema<A, I, R>): Schema.Schema<A, I, R> => {
  const made = onFirstUse(make)
  return Object.defineProperty(Schema.make<A, I, R>(Schema.Never.ast), "ast", { get: () => made().ast })
}
