import { Schema } from "effect"
import { counted } from "../domain/Figure.ts"
import { integer, text } from "../domain/Task.ts"

/** Timers beyond this fire at once or never: 2^31 - 1 ms, nearly 25 days. */
export const MAX_MILLIS = 2_147_483_647

/** Whole seconds between two attempts: at most ten years, as an intent's delay, so that no time lies beyond year 9999. */
export const Wait = integer(1, 315_360_000)

/** An optional key of a configuration file; `doc` is what the key means, for the JSON Schema. */
export const key = <A, I>(schema: Schema.Schema<A, I>, doc: string) =>
  Schema.optionalWith(schema, { exact: true }).annotations({ description: doc })

/** A required key of a configuration file. */
export const needed = <A, I>(schema: Schema.Schema<A, I>, doc: string) =>
  Schema.propertySignature(schema).annotations({ description: doc })

/** A number from `least` to `most`, fractions allowed; `unit` ends its description. */
export const number = (least: number, most: number, unit: string) =>
  Schema.Number.pipe(Schema.finite(), Schema.between(least, most)).annotations({
    description: `a number${unit} from ${least} to ${counted(most)}`
  })

/** A number above 0, at most `most`, fractions allowed; `unit` ends its description. */
export const positive = (most: number, unit: string) =>
  Schema.Number.pipe(Schema.finite(), Schema.positive(), Schema.lessThanOrEqualTo(most)).annotations({
    description: `a number${unit} above 0, at most ${counted(most)}`
  })

/** Text that a regular expression accepts. */
export const shaped = (pattern: RegExp, description: string) =>
  Schema.String.pipe(Schema.pattern(pattern)).annotations({
    description,
    jsonSchema: { type: "string", pattern: pattern.source }
  })

export const FilePath = text(4_096, "").annotations({ description: "a path of 1 to 4,096 characters" })

export const Model = text(200, "")

/** A port above 65,535 behind a host, as a pattern. */
const PORT_TOO_HIGH =
  "^https?://[^/?#\\\\]*:0*([1-9]\\d{5,}|[7-9]\\d{4}|6[6-9]\\d{3}|65[6-9]\\d{2}|655[4-9]\\d|6553[6-9])([/?#\\\\]|$)"

export const HttpAddress = Schema.String.pipe(
  Schema.filter((value) => /^https?:\/\/[^\s]+$/.test(value) && URL.canParse(value))
).annotations({
  description: "an http or https address such as http://127.0.0.1:11434",
  // All that URL.canParse takes, and little of what it does not.
  jsonSchema: {
    type: "string",
    pattern: "^https?://[/\\\\]*[^\\s/\\\\?#]\\S*$",
    not: { pattern: PORT_TOO_HIGH }
  }
})

export const VariableName = shaped(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable")

const SecretFile = Schema.Struct({
  secretFile: needed(FilePath, "a file that holds the value and nothing else")
})
const SecretEnv = Schema.Struct({
  secretEnv: needed(VariableName, "the environment variable of the runtime that holds it")
})
const Credential = Schema.Struct({
  credential: needed(
    shaped(/^[^/\s]{1,255}$/, "the name of a systemd credential"),
    "a systemd credential (LoadCredential=)"
  )
})

const SECRET_FORMS = '{ "secretFile": PATH }, { "secretEnv": NAME } or { "credential": NAME }'

/** Where a secret is found; the value itself never stands in a configuration file. */
export const SecretSource = Schema.Union(SecretFile, SecretEnv, Credential).annotations({
  description: `a reference to a secret: ${SECRET_FORMS}`
})

export const EnvValue = Schema.Union(
  Schema.String.pipe(
    Schema.filter((value) => (value.includes("\0") ? "it holds a NUL character" : true), {
      jsonSchema: { pattern: "^[^\\x00]*$" }
    })
  ),
  SecretFile,
  SecretEnv,
  Credential
).annotations({ description: `text, or a reference to a secret: ${SECRET_FORMS}` })
