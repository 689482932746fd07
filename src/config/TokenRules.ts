import { LEAST_CHARACTERS } from "../domain/Redactor.ts"
import { type Finding, finding } from "./Issues.ts"

/** What is known of the token in a file: how it is compared, and how long it is. */
export interface TokenMark {
  readonly sha256: string
  readonly characters: number
}

/** Why a file holds no token that can be used, and what mends it. */
export interface TokenFault {
  readonly wrong: string
  readonly remedy: string
}

/** A token of fewer characters is taken; it may be guessed in spite of the brake on wrong ones. */
const SAFE_CHARACTERS = 16

/** A command that writes a token nobody guesses. */
export const makeToken = (path: string): string => `(umask 077; head -c 32 /dev/urandom | base64 > ${path})`

/** What an operator should know of a token that may be guessed, by its name; nothing of one that is long enough. */
export const shortToken = (name: string, path: string, { characters }: TokenMark): ReadonlyArray<string> => {
  if (characters >= SAFE_CHARACTERS) return []
  const unmasked = characters < LEAST_CHARACTERS ? ", and is not masked in what is stored" : ""
  const count = characters === 1 ? "1 character" : `${characters} characters`
  return [
    `http.tokens: token ${name} has ${count} and may be guessed${unmasked}; write one of ${SAFE_CHARACTERS} or more: ${makeToken(path)}`
  ]
}

/** A token of the configuration by where its secret stands. */
export interface PlacedToken {
  /** As the configuration has it; undefined where that is no text. */
  readonly name: string | undefined
  readonly key: "sha256" | "tokenFile"
  /** In lower-case hex; undefined where it cannot be told. */
  readonly sha256: string | undefined
}

/** Every token that an earlier one of the list is too: who sends it would be either of the two. */
export const sameTokens = (tokens: ReadonlyArray<PlacedToken>): ReadonlyArray<Finding> =>
  tokens.flatMap(({ key, name, sha256 }, index) => {
    const first = tokens.findIndex((one) => one.sha256 === sha256)
    const other = tokens[first]
    if (sha256 === undefined || other === undefined || first === index) return []
    const called = (one: string | undefined) => (one === undefined ? "this token" : `token ${one}`)
    return [
      finding(
        "rule",
        ["http", "tokens", index, key],
        `${called(name)} is the same as ${called(other.name)} (http.tokens[${first}].${other.key})`,
        "a token that stands once",
        "give one of the two another token, or remove it"
      )
    ]
  })
