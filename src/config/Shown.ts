import { abridged } from "../domain/Abridged.ts"

/** A value in an error is never longer than this. */
const MOST = 80

const SECRET = /(api|access|auth|private)[_-]?key$|token|secret|passw|credential|sha256/i

/** Keys whose whole content may be secret, however deep. */
const VAULTS: ReadonlyArray<PropertyKey> = ["env", "apiKey"]

const mayBeSecret = (path: ReadonlyArray<PropertyKey>): boolean =>
  path.some((key) => VAULTS.includes(key)) || SECRET.test(String(path.at(-1) ?? ""))

const bare = /^[A-Za-z_$][A-Za-z0-9_$-]*$/

/** A path as people write it: `adapters.local.extraArgs[0]`, `adapters["my.id"]`; a very long key is cut. */
export const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`
    const name = abridged(String(key))
    if (!bare.test(name)) return `${text}[${JSON.stringify(name)}]`
    return text === "" ? name : `${text}.${name}`
  }, "")

const quoted = (text: string): string => {
  const whole = JSON.stringify(text.slice(0, MOST))
  return text.length <= MOST && whole.length <= MOST
    ? whole
    : `${whole.slice(0, MOST - 2).replace(/\\+$/, "")}…"`
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

/**
 * What stands at a path, in at most 80 characters. Text below a key that may hold a secret is not shown,
 * nor are the values inside objects and lists.
 */
export const found = (value: unknown, path: ReadonlyArray<PropertyKey>): string => {
  if (value === undefined) return "nothing"
  if (typeof value === "string") {
    return mayBeSecret(path) ? `text of ${count(value.length, "character")}` : quoted(value)
  }
  if (Array.isArray(value))
    return value.length === 0 ? "an empty list" : `a list of ${count(value.length, "item")}`
  if (typeof value !== "object" || value === null) return abridged(String(value), MOST)
  const keys = Object.keys(value)
  return keys.length === 0 ? "an empty object" : abridged(`an object with ${keys.join(", ")}`, MOST)
}
