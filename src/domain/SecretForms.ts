import { Encoding } from "effect"

/** The byte strings that give a value away. */
export interface SecretForms {
  /** To be looked for as they are: the value itself, URL-encoded and JSON-escaped. */
  readonly literal: ReadonlyArray<string>
  /** Base64 and hex, which tools break into lines and groups: whitespace and colons may stand between. */
  readonly grouped: ReadonlyArray<string>
}

/** All forms of a value, each once. */
export const formsOf = (value: string): SecretForms => {
  const bytes = new TextEncoder().encode(value)
  const hex = Encoding.encodeHex(bytes)
  return {
    literal: [...new Set([value, ...jsonForms(value), ...urlForms(bytes)])],
    grouped: [...new Set([hex, hex.toUpperCase(), ...base64Forms(bytes)])]
  }
}

/**
 * Base64 of the value inside of any other bytes: a text begins with none, one or two bytes of its group of
 * three before it. Characters that the bytes before it take part in are left out; the last one, which the
 * bytes behind it take part in, stands with each value that it can have.
 */
const base64Forms = (bytes: Uint8Array): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((before) => {
    const padded = new Uint8Array(before + bytes.length)
    padded.set(bytes, before)
    const whole = Math.floor((padded.length * 8) / 6)
    const text = Encoding.encodeBase64(padded)
    const core = text.slice(Math.ceil((before * 8) / 6), whole)
    const last = padded.length % 3 === 0 ? [] : shared(text.charAt(whole), padded.length % 3 === 1 ? 16 : 4)
    return [core, ...last.map((character) => core + character)].flatMap((form) => [form, urlSafe(form)])
  })

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** The characters whose upper bits are those of this one; its lower bits are 0. */
const shared = (character: string, count: number): ReadonlyArray<string> => {
  const first = ALPHABET.indexOf(character)
  return [...ALPHABET.slice(first, first + count)]
}

const urlSafe = (text: string): string => text.replaceAll("+", "-").replaceAll("/", "_")

// What encoders leave as it is beside letters and digits: RFC 3986, encodeURIComponent, encodeURI, Python's
// quote, forms (where a space is a plus), and those that encode every byte.
const KEPT: ReadonlyArray<readonly [kept: RegExp, space: string]> = [
  [/[\w.~-]/, "%20"],
  [/[\w.~!'()*-]/, "%20"],
  [/[\w.~!'()*;,/?:@&=+$#-]/, "%20"],
  [/[\w.~/-]/, "%20"],
  [/[\w.*-]/, "+"],
  [/[\w.~-]/, "+"],
  [/[^\s\S]/, "%20"]
]

const urlForms = (bytes: Uint8Array): ReadonlyArray<string> =>
  KEPT.flatMap(([kept, space]) =>
    ["lower", "upper"].map((letters) =>
      Array.from(bytes, (byte) => {
        const character = String.fromCharCode(byte)
        if (character === " ") return space
        if (byte < 0x80 && kept.test(character)) return character
        const hex = byte.toString(16).padStart(2, "0")
        return `%${letters === "lower" ? hex : hex.toUpperCase()}`
      }).join("")
    )
  )

/** As JSON text, by writers that escape more or less, and once more inside of another JSON text. */
const jsonForms = (value: string): ReadonlyArray<string> => {
  const slashed = escaped(inJson(value)).flatMap((text) => [text, text.replaceAll("/", "\\/")])
  const ascii = slashed.flatMap((text) => [text, text.replace(/[\u007f-\uffff]/g, unicode)])
  const all = [...ascii, value.replace(/[\s\S]/g, unicode)]
  const both = all.flatMap((text) => [text, text.replace(/\\u[0-9a-f]{4}/g, upper)])
  return both.flatMap((text) => [text, inJson(text)])
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

// What encoders write as \uXXXX so that the JSON may stand in a page: none, Go and Python's web frameworks,
// those that mind the apostrophe, Gson, and .NET, which does so to the quotation mark as well.
const escaped = (plain: string): ReadonlyArray<string> => [
  plain,
  plain.replace(/[<>&]/g, unicode),
  plain.replace(/[<>&']/g, unicode),
  plain.replace(/[<>&'=]/g, unicode),
  plain.replace(/\\(.)|[<>&'+`]/g, (found, short) =>
    short === undefined ? unicode(found) : short === '"' ? unicode(short) : found
  )
]

const unicode = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

const upper = (escape: string): string => `\\u${escape.slice(2).toUpperCase()}`
