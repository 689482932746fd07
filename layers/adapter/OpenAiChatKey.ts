import { Effect, Option, Redacted } from "effect"
import type { OpenAiChatSettings } from "../../src/config/AdapterSettings.ts"
import { CannotStart } from "./CannotStart.ts"
import type { Address } from "./ModelServerAddress.ts"
import { type HostEnvironment, resolveSecret } from "./Secrets.ts"
import { maskedFor, tooShort } from "./SecretValues.ts"

/** How a server is spoken to, as of now. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>
  /** To be masked in whatever is stored. */
  readonly secrets: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

/**
 * Resolves an adapter's `apiKey` into the headers of a request; a key wins over user info of the endpoint. Fails
 * with what mends it when the key cannot be read, others can read it, or no header can carry it.
 */
export const accessTo = (
  { apiKey }: Pick<OpenAiChatSettings, "apiKey">,
  address: Address,
  host: HostEnvironment
): Effect.Effect<Access, CannotStart> =>
  Effect.gen(function* () {
    if (Option.isNone(apiKey)) return { headers: address.headers, secrets: address.secrets, warnings: [] }
    const value = Redacted.value(yield* resolveSecret(apiKey.value, host))
    const key = value.trim()
    if (!/^[\x21-\x7e]+$/.test(key))
      return yield* new CannotStart({
        reason:
          key === "" ? "the apiKey is empty" : "the apiKey holds characters that no HTTP header can carry",
        remedy: "write the key and nothing else to where apiKey points"
      })
    return {
      headers: { authorization: `Bearer ${key}` },
      secrets: [...maskedFor(value), ...address.secrets],
      warnings: [
        ...tooShort("the apiKey", key),
        ...(address.isOpen
          ? [`the apiKey goes to ${address.host} over http, where others can read it: use https`]
          : [])
      ]
    }
  })
