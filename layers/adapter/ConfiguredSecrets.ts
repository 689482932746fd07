import { Effect, Option, Redacted, Ref } from "effect"
import type { AdapterSettings, SecretRef } from "../../src/config/AdapterSettings.ts"
import type { Placed, Settings } from "../../src/config/RuntimeConfig.ts"
import { noSecrets, type Redactor, redactorOf } from "../../src/domain/Redactor.ts"
import { readPlainText } from "../config/PlainFile.ts"
import { remembered } from "../Remembered.ts"
import { parseEnv } from "./EnvFile.ts"
import { addressOf } from "./ModelServerAddress.ts"
import { type HostEnvironment, resolveSecret } from "./Secrets.ts"
import { isSecret, maskedFor } from "./SecretValues.ts"

/** Makes the redactor of an attempt that starts now, from what is to be masked for its own adapter's secrets. */
export type Masking = (own: ReadonlyArray<string>) => Effect.Effect<Redactor>

/** Masks an attempt's own secrets and no others. */
export const ownOnly: Masking = (own) => Effect.sync(() => redactorOf(own))

/** How long what was read of the configured secrets holds: many attempts do not read the files again and again. */
const HOLDS = "5 seconds"

/** So much of all secrets is masked in every attempt: a redactor takes some 3 KiB of memory for each character. */
const MOST_CHARACTERS = 32 * 1024

/**
 * Makes a masking of an attempt's own secrets together with those of the whole configuration, as far as they can
 * be read when it starts: of all adapters the env files, secret references, keys and user info of endpoints, and
 * the token files of the API. What cannot be read is passed over: the start of what needs it tells. A reading
 * holds for 5 seconds, and its redactor for as long as readings are the same. More than 32 Ki characters are not
 * masked; a warning tells so.
 */
export const configuredSecrets = (
  settings: Pick<Settings, "adapters" | "http">,
  host: HostEnvironment
): Effect.Effect<Masking> =>
  Effect.gen(function* () {
    const last = yield* Ref.make<Known>({ texts: new Set(), redactor: noSecrets })
    const reading = Effect.gen(function* () {
      const { left, texts } = fitting(yield* configured(settings, host))
      const before = yield* Ref.get(last)
      if (isSame(texts, before.texts)) return before
      if (left > 0)
        yield* Effect.logWarning(
          `${left} secrets of the configuration are masked in the attempts of their own adapter only: all together have more than ${MOST_CHARACTERS} characters; keep nothing in env files and secret files that is no secret`
        )
      const known = { texts, redactor: redactorOf(texts) }
      yield* Ref.set(last, known)
      return known
    })
    // Attempts share a reading: one that is stopped must not take it away from the others.
    const known = yield* remembered(Effect.uninterruptible(reading), HOLDS)
    return (own) =>
      Effect.map(known, ({ redactor, texts }) =>
        own.every((text) => texts.has(text)) ? redactor : redactorOf([...texts, ...own])
      )
  })

interface Known {
  /** What is masked. */
  readonly texts: ReadonlySet<string>
  readonly redactor: Redactor
}

const isSame = (some: ReadonlySet<string>, others: ReadonlySet<string>): boolean =>
  some.size === others.size && [...some].every((text) => others.has(text))

/** What is to be masked for these secrets, and how many of them find no room. */
const fitting = (
  secrets: ReadonlyArray<string>
): { readonly texts: ReadonlySet<string>; readonly left: number } => {
  const texts = new Set<string>()
  let characters = 0
  let left = 0
  for (const secret of secrets) {
    const more = maskedFor(secret).filter((text) => !texts.has(text))
    const sum = more.reduce((total, { length }) => total + length, 0)
    if (characters + sum > MOST_CHARACTERS) left++
    else {
      for (const text of more) texts.add(text)
      characters += sum
    }
  }
  return { texts, left }
}

const configured = (
  { adapters, http }: Pick<Settings, "adapters" | "http">,
  host: HostEnvironment
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.forEach(adapters.values(), (settings) => secretsOf(settings, host)),
    (secrets) => [
      ...http.tokens
        .flatMap(({ secret }) => ("tokenFile" in secret ? textOf(secret.tokenFile) : []))
        .map((text) => text.trim()),
      ...secrets.flat()
    ]
  )

const secretsOf = (
  settings: AdapterSettings,
  host: HostEnvironment
): Effect.Effect<ReadonlyArray<string>> => {
  switch (settings.mode) {
    case "script":
    case "agent-cli": {
      const listed = Option.toArray(settings.envFile).flatMap(textOf).flatMap(listedIn)
      const refs = Object.values(settings.env).flatMap((value) => (typeof value === "string" ? [] : [value]))
      return Effect.map(Effect.forEach(refs, behind(host)), (values) => [...listed, ...values.flat()])
    }
    case "ollama-generate":
      return Effect.succeed(addressOf(settings.endpoint).secrets)
    case "openai-chat":
      return Effect.map(Effect.forEach(Option.toArray(settings.apiKey), behind(host)), (values) => [
        ...values.flat(),
        ...addressOf(settings.endpoint).secrets
      ])
  }
}

const listedIn = (envFile: string): ReadonlyArray<string> =>
  [...parseEnv(envFile).values.values()].filter(isSecret)

// A file that others can read is refused where it is needed; what it holds is a secret all the same.
const behind =
  (host: HostEnvironment) =>
  (ref: SecretRef): Effect.Effect<ReadonlyArray<string>> =>
    "secretFile" in ref
      ? Effect.sync(() => textOf(ref.secretFile).map((text) => text.replace(/\r?\n$/, "")))
      : Effect.map(Effect.option(resolveSecret(ref, host)), (value) =>
          Option.toArray(Option.map(value, Redacted.value))
        )

/** The text of a file, if it can be read now. A pipe is left to whom it is meant for, and never waited for. */
const textOf = ({ path }: Placed): ReadonlyArray<string> => {
  try {
    return [readPlainText(path)]
  } catch {
    return []
  }
}
