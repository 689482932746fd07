import { Array, Encoding } from "effect"

/** The byte strings that give a value away. */
export interface SecretForms {
  /** To be looked for as they are: the value itself, and URL-encoded where that needs no digits. */
  readonly literal: ReadonlyArray<string>
  /** URL-encoded, whatever the case of letters: a writer may mix that of the digits. */
  readonly folded: ReadonlyArray<string>
  /**
   * Escaped in JSON, in either case of letters, and JSON in JSON: what that adds are backslashes, where there are some.
   */
  readonly nested: ReadonlyArray<string>
  /** Base64, which tools break into lines and groups: whitespace and colons may stand between. */
  readonly grouped: ReadonlyArray<string>
  /** Hex, broken as base64 is, in either case of letters. */
  readonly hex: ReadonlyArray<string>
}

/** All forms of a value, each once. */
export const formsOf = (value: string): SecretForms => {
  // In JSON that is encoded again.
  const texts = [...new Set([value, inJson(value), ascii(inJson(value))])].map((text) => utf8(text))
  const base64 = unique(texts.flatMap(base64Forms))
  const inUrls = base64.filter((form) => /[+/]/.test(form)).map(encodeURIComponent)
  const urls = unique([...texts.flatMap(urlForms), ...inUrls])
  const [literal, folded] = Array.partition(urls, (form) => DIGITS.test(form))
  return {
    literal: unique([value, ...literal]),
    folded,
    nested: jsonForms(value).filter((form) => form.includes("\\")),
    grouped: base64,
    hex: [Encoding.encodeHex(utf8(value))]
  }
}

const unique = (forms: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(forms)]

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** An escape that is written in hex digits. */
const DIGITS = /%[0-9a-f]{2}/i

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

// What encoders leave as it is beside letters and digits: RFC 3986, encodeURIComponent, encodeURI, Python's quote,
// RFC 1738 (no tilde), .NET's UrlEncode, nothing (Rust's NON_ALPHANUMERIC), forms (where a space is a plus) of browsers,
// of RFC 3986, of PHP and of .NET, and those that encode every byte.
const KEPT: ReadonlyArray<readonly [kept: RegExp, space: string]> = [
  [/[\w.~-]/, "%20"],
  [/[\w.~!'()*-]/, "%20"],
  [/[\w.~!'()*;,/?:@&=+$#-]/, "%20"],
  [/[\w.~/-]/, "%20"],
  [/[\w.-]/, "%20"],
  [/[\w.!*()-]/, "%20"],
  [/[A-Za-z0-9]/, "%20"],
  [/[\w.*-]/, "+"],
  [/[\w.~-]/, "+"],
  [/[\w.-]/, "+"],
  [/[\w.!*()-]/, "+"],
  [/[^\s\S]/, "%20"]
]

const urlForms = (bytes: Uint8Array): ReadonlyArray<string> =>
  KEPT.map(([kept, space]) =>
    Array.fromIterable(bytes)
      .map((byte) => {
        const character = String.fromCharCode(byte)
        if (character === " ") return space
        return byte < 0x80 && kept.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`
      })
      .join("")
  )

/** As JSON text, by writers that escape more or less. */
const jsonForms = (value: string): ReadonlyArray<string> => {
  const text = inJson(value)
  const escaped = unique(MINDED.map((characters) => escapedAlso(text, characters)))
  const slashed = escaped.flatMap((form) => [form, form.replaceAll("/", "\\/")])
  const whole = [/[\s\S]/g, /[^A-Za-z0-9]/g].map((escapes) => value.replace(escapes, unicode))
  return unique([...slashed, ...slashed.map(ascii), ...whole])
}

const ascii = (text: string): string => text.replace(/[\u007f-\uffff]/g, unicode)

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

// What encoders write as \uXXXX though they need not, so that the JSON may stand in a page: each choice of PHP's four
// (JSON_HEX_TAG, _AMP, _APOS, _QUOT), among them none, Go's and Python's, then Gson's and .NET's.
const MINDED: ReadonlyArray<string> = [
  ...["", "<>"].flatMap((tag) =>
    ["", "&"].flatMap((amp) => ["", "'"].flatMap((apos) => ["", '"'].map((quot) => tag + amp + apos + quot)))
  ),
  "<>&'=",
  "<>&'\"+`"
]

/** A JSON text with these characters written as \uXXXX, also where it has another escape for one. */
const escapedAlso = (text: string, characters: string): string =>
  text.replace(/\\(.)|[<>&'=+`]/g, (found, short?: string) =>
    characters.includes(short ?? found) ? unicode(short ?? found) : found
  )

const unicode = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
