import { Effect, Option } from "effect"
import type { KnownToken } from "../config/AccessKeys.ts"

/** How long a browser stays signed in. */
export const SESSION_SECONDS = 30 * 24 * 60 * 60

const encoder = new TextEncoder()

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("")

/** Lower-case hex SHA-256. */
export const sha256 = (text: string): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", encoder.encode(text))),
    hex
  )

// The token's hash is part of what is signed, so that a token that was replaced ends its sessions.
const signature = (key: Uint8Array<ArrayBuffer>, { name, role, sha256 }: KnownToken, until: number) =>
  Effect.promise(async () => {
    const secret = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, [
      "sign"
    ])
    const text = encoder.encode(JSON.stringify([name, role, sha256, until]))
    return hex(await crypto.subtle.sign("HMAC", secret, text))
  })

/** Equal in a time that does not depend on where they differ. */
export const isEqual = (a: string, b: string): boolean => {
  let difference = a.length ^ b.length
  for (let at = 0; at < a.length && at < b.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}

const nameOf = (token: KnownToken): string => Buffer.from(token.name, "utf8").toString("base64url")

/** What a browser keeps of a sign-in: it holds no token, and is good until `until` (ms) and no longer. */
export const sealed = (
  key: Uint8Array<ArrayBuffer>,
  token: KnownToken,
  until: number
): Effect.Effect<string> =>
  Effect.map(signature(key, token, until), (signed) => `${nameOf(token)}.${until}.${signed}`)

/** The token that a browser signed in with; none when it is not known any more, expired or forged. */
export const opened = (
  key: Uint8Array<ArrayBuffer>,
  tokens: ReadonlyArray<KnownToken>,
  session: string,
  nowMs: number
): Effect.Effect<Option.Option<KnownToken>> =>
  Effect.gen(function* () {
    const [name, until, signed] = session.split(".")
    const token = tokens.find((one) => nameOf(one) === name)
    if (token === undefined || until === undefined || signed === undefined) return Option.none()
    if (!/^\d{1,15}$/.test(until) || Number(until) <= nowMs) return Option.none()
    return isEqual(yield* signature(key, token, Number(until)), signed) ? Option.some(token) : Option.none()
  })
