import { existsSync } from "node:fs"
import { hasUserInfo } from "../../src/config/Addresses.ts"
import { LEAST_CHARACTERS } from "../../src/domain/Redactor.ts"
import { userInfoSecrets } from "./UserInfo.ts"

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
  return url !== undefined && !hasUserInfo(url)
}

/**
 * What is to be masked for a secret: the value, the value without whitespace around it, each of its lines, and
 * what a URL's user info holds that is secret. Long texts are given in pieces that
 * overlap, so that whatever is searched for stays short.
 */
export const maskedFor = (secret: string): ReadonlyArray<string> => {
  const url = urlOf(secret)
  const within = url === undefined ? [] : userInfoSecrets(url)
  return [...new Set([secret, secret.trim(), ...linesOf(secret), ...within].flatMap(piecesOf))]
}

const FRAME = /^-----(BEGIN|END) .*-----$/

// An env file can hold a key of several lines only with its line ends written as \n.
const lineEnd = (secret: string): RegExp =>
  secret.includes("-----BEGIN ") ? /\r\n|\r|\n|\\r\\n|\\n/ : /\r\n|\r|\n/

/** The lines of a secret of several lines that are secret by themselves: all but the frames that every key has. */
const linesOf = (secret: string): ReadonlyArray<string> => {
  const lines = secret.split(lineEnd(secret)).map((line) => line.trim())
  return lines.length < 2 ? [] : lines.filter((line) => line.length >= LEAST_CHARACTERS && !FRAME.test(line))
}

const PIECE_CHARACTERS = 256
const STEP_CHARACTERS = 224

const piecesOf = (text: string): ReadonlyArray<string> => {
  if (text.length <= PIECE_CHARACTERS) return [text]
  const count = Math.ceil((text.length - PIECE_CHARACTERS) / STEP_CHARACTERS) + 1
  return Array.from({ length: count }, (_, index) => {
    const start = Math.min(index * STEP_CHARACTERS, text.length - PIECE_CHARACTERS)
    const end = start + PIECE_CHARACTERS
    // A character of two units is not cut in two: its UTF-8 is that of both.
    return text.slice(isInside(text, start) ? start - 1 : start, isInside(text, end) ? end + 1 : end)
  })
}

const isInside = (text: string, at: number): boolean =>
  /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1))

/** The warning about a secret that is too short to be masked; it does not tell how short. */
export const tooShort = (what: string, secret: string): ReadonlyArray<string> =>
  secret !== "" && secret.length < LEAST_CHARACTERS
    ? [`${what} has fewer than ${LEAST_CHARACTERS} characters and is not masked in what is stored`]
    : []
