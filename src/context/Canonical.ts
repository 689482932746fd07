import canonicalize from "canonicalize"
import { Effect, Schema } from "effect"
import { Bundle } from "../domain/Bundle.ts"

/**
 * The RFC 8785 text of a JSON value: keys sorted, no spaces. Half a surrogate pair, which UTF-8 cannot hold,
 * becomes U+FFFD. Values that JSON does not have are left out, as `JSON.stringify` does.
 */
export const canonicalText = (value: unknown): string => canonicalize(wellFormed(value)) ?? "null"

/** Lower-case hex SHA-256 of a text's UTF-8 bytes. */
export const sha256 = (text: string): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
    (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
  )

/** The text of a bundle's file without its last newline: canonical JSON of the wire form. */
export const bundleText = (bundle: Bundle): string => textOf(membersOf(bundle))

/** Lower-case hex SHA-256 of the bundle's canonical JSON without `bundle_id` (SPEC.md section 5). */
export const bundleHash = (bundle: Bundle): Effect.Effect<string> =>
  sha256(textOf(membersOf(bundle).filter(({ key }) => key !== "bundle_id")))

/** A member of an object and its canonical text, `"key":value`. */
interface Member {
  readonly key: string
  readonly text: string
}

const encode = Schema.encodeSync(Bundle)

// A bundle is hashed, then written: what both consist of is made once.
const members = new WeakMap<Bundle, ReadonlyArray<Member>>()

const membersOf = (bundle: Bundle): ReadonlyArray<Member> => {
  const known = members.get(bundle)
  if (known !== undefined) return known
  const made = Object.entries(encode(bundle))
    .map(([key, value]) => ({ key, text: `${JSON.stringify(key)}:${canonicalText(value)}` }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
  members.set(bundle, made)
  return made
}

const textOf = (parts: ReadonlyArray<Member>): string => `{${parts.map(({ text }) => text).join()}}`

const wellFormed = (value: unknown): unknown => {
  if (typeof value === "string") return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key.toWellFormed(), wellFormed(child)])
  )
}
