import { Effect, Option, Redacted } from "effect"
import type { ChildSettings } from "../../src/config/AdapterSettings.ts"
import { MASK, type Redactor } from "../../src/domain/Redactor.ts"
import type { CannotStart } from "./CannotStart.ts"
import { type Masking, ownOnly } from "./ConfiguredSecrets.ts"
import { readEnvFile } from "./EnvFile.ts"
import { type HostEnvironment, resolveSecret } from "./Secrets.ts"
import { isSecret, maskedFor, tooShort } from "./SecretValues.ts"

/** A child's environment: `env` is what it gets, `shown` what may be written down. */
export interface ChildEnv {
  readonly env: Readonly<Record<string, string>>
  readonly shown: Readonly<Record<string, string>>
  /** Values that must not be stored: of secret references, and those of the env file that are secrets. */
  readonly secrets: ReadonlyArray<Redacted.Redacted>
  /** The variables that hold these values. */
  readonly secretNames: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

const ALWAYS = ["PATH", "HOME", "LANG"]
const FALLBACK_PATH = "/usr/local/bin:/usr/bin:/bin"

/** What systemd tells this process is not for its children, not even when `inheritEnv` names it. */
const isOurs = (name: string): boolean =>
  name === "NOTIFY_SOCKET" ||
  name === "CREDENTIALS_DIRECTORY" ||
  name === "INVOCATION_ID" ||
  name.startsWith("WATCHDOG_")

/** An environment without what could not be read, and why that could not. */
export interface SoundEnv {
  readonly child: ChildEnv
  readonly faults: ReadonlyArray<CannotStart>
}

/**
 * Composes the environment of an adapter's child, later ones winning: PATH, HOME and LANG of this process,
 * what `inheritEnv` lists, `defaults` (what the program needs where the adapter does not say otherwise), the
 * env file, `env` with its secrets resolved, and `own`, the runtime's variables. Values from the env file, from secret references and inherited ones are shown as `[redacted]`.
 * A secret that is too short to be masked is a warning. Fails with the first thing that cannot be read.
 */
export const childEnv = (...given: Parameters<typeof soundEnv>): Effect.Effect<ChildEnv, CannotStart> =>
  Effect.flatMap(soundEnv(...given), ({ child, faults: [first] }) => first ?? Effect.succeed(child))

/** As `childEnv`, which it never fails: it goes on without what cannot be read, and tells all of that. */
export const soundEnv = (
  settings: Pick<ChildSettings, "env" | "envFile" | "inheritEnv">,
  own: Readonly<Record<string, string>>,
  host: HostEnvironment,
  defaults: Readonly<Record<string, string>> = {}
): Effect.Effect<SoundEnv> =>
  Effect.gen(function* () {
    const faults: Array<CannotStart> = []
    const readable = <A>(reading: Effect.Effect<A, CannotStart>): Effect.Effect<Option.Option<A>> =>
      Effect.option(Effect.tapError(reading, (fault) => Effect.sync(() => faults.push(fault))))
    const env = new Map<string, string>([["PATH", FALLBACK_PATH]])
    const masked = new Set<string>()
    const secrets: Array<Redacted.Redacted> = []
    const secretNames = new Set<string>()
    const set = (name: string, value: string, hidden: boolean) => {
      env.set(name, value)
      secretNames.delete(name)
      if (hidden) masked.add(name)
      else masked.delete(name)
    }
    const hold = (name: string, secret: Redacted.Redacted) => {
      secrets.push(secret)
      secretNames.add(name)
    }
    const warnings = settings.inheritEnv
      .filter(isOurs)
      .map((name) => `inheritEnv names ${name}, which is never handed to a child`)
    for (const name of [...ALWAYS, ...settings.inheritEnv.filter((listed) => !isOurs(listed))]) {
      const value = host[name]
      if (value !== undefined) set(name, value, !ALWAYS.includes(name))
    }
    for (const [name, value] of Object.entries(defaults)) set(name, value, false)
    for (const placed of Option.toArray(settings.envFile)) {
      const file = yield* readable(readEnvFile(placed))
      if (Option.isNone(file)) continue
      for (const [name, value] of file.value.values) set(name, Redacted.value(value), true)
      warnings.push(...file.value.warnings)
      for (const [name, value] of file.value.values) {
        if (!isSecret(Redacted.value(value))) continue
        hold(name, value)
        warnings.push(...tooShort(`${name} of env file ${placed.path}`, Redacted.value(value)))
      }
    }
    for (const [name, value] of Object.entries(settings.env)) {
      if (typeof value === "string") set(name, value, false)
      else {
        const found = yield* readable(resolveSecret(value, host))
        if (Option.isNone(found)) continue
        set(name, Redacted.value(found.value), true)
        hold(name, found.value)
        warnings.push(...tooShort(`env ${name}`, Redacted.value(found.value)))
      }
    }
    for (const [name, value] of Object.entries(own)) set(name, value, false)
    const child = {
      env: Object.fromEntries(env),
      shown: Object.fromEntries(Array.from(env, ([name, value]) => [name, masked.has(name) ? MASK : value])),
      secrets,
      secretNames: [...secretNames],
      warnings
    }
    return { child, faults }
  })

/** Masks all secret values of an environment, and those of the configuration where a masking knows them. */
export const redactorFor = (
  { secrets }: Pick<ChildEnv, "secrets">,
  masking: Masking = ownOnly
): Effect.Effect<Redactor> => masking(secrets.flatMap((secret) => maskedFor(Redacted.value(secret))))
