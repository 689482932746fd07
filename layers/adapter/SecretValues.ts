import { existsSync } from "node:fs"
import { LEAST_CHARACTERS } from "../../src/domain/Redactor.ts"

const NUMBER = /^[+-]?(\d[\d_]*(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i
const BOOLEAN = /^(true|false|yes|no|on|off)$/i

/**
 * Whether a value of an env file is a secret (SPEC.md section 6): numbers, booleans, existing absolute paths
 * (and lists of them, as PATH is one) and URLs without user info are none. A relative path is no path here: a
 * file of that name may lie anywhere by chance.
 */
export const isSecret = (value: string): boolean =>
  value !== "" && !NUMBER.test(value) && !BOOLEAN.test(value) && !isPaths(value) && !isPlainUrl(value)

const isPaths = (value: string): boolean =>
  value.split(":").every((path) => path.startsWith("/") && existsSync(path))

const urlOf = (value: string): URL | undefined =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(value) && URL.canParse(value) ? new URL(value) : undefined

const isPlainUrl = (value: string): boolean => {
  const url = urlOf(value)
  return url !== undefined && url.username === "" && url.password === ""
}

/**
 * What is to be masked for a secret: the value, the value without whitespace around it, and what a URL holds
 * as its password, or as its user where it has no password.
 */
export const maskedFor = (secret: string): ReadonlyArray<string> => {
  const url = urlOf(secret)
  const within = url === undefined ? "" : url.password === "" ? url.username : url.password
  return [...new Set([secret, secret.trim(), within, decoded(within)])]
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that encodes nothing: the text is what it is.
    return text
  }
}

/** The warning about a secret that is too short to be masked; it does not tell how short. */
export const tooShort = (what: string, secret: string): ReadonlyArray<string> =>
  secret !== "" && secret.length < LEAST_CHARACTERS
    ? [`${what} has fewer than ${LEAST_CHARACTERS} characters and is not masked in what is stored`]
    : []
