// Bytes and kinds of bytes that the search for secrets tells apart.

export const BACKSLASH = 0x5c
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const U = 0x75
export const T = 0x74
export const N = 0x6e
export const R = 0x72

const flags = (characters: RegExp): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) =>
    byte < 0x80 && characters.test(String.fromCharCode(byte)) ? 1 : 0
  )

// Between two characters of base64 or hex: whitespace, the colons of groups, a line's end as it is escaped in JSON, and
// a backslash alone, by which some writers escape the slash of base64.
const BETWEEN = flags(/[\s:\\]/)
export const isBetween = (byte: number): boolean => BETWEEN[byte] === 1

/** What base64 is written in, in both alphabets, and hex in small letters. */
export const BASE64 = flags(/[A-Za-z0-9+/_-]/)
export const HEX = flags(/[0-9a-f]/)

const WORD = flags(/[A-Za-z0-9]/)
/** Whether a byte is a letter or digit of ASCII: what is none may decorate the beginning and the end of a line. */
export const isWord = (byte: number): boolean => WORD[byte] === 1

/** What a line's end is escaped with in JSON, once or again inside of another text, behind its backslash. */
export const isEscape = (byte: number): boolean => byte === N || byte === R || byte === T

/** Behind the backslash of a character of ASCII that is escaped in JSON: `u`, two zeros, two digits. */
export const ESCAPE_BYTES = 5
export const isZero = (byte: number | undefined): boolean => byte === undefined || byte === 0x30
export const digitOf = (byte: number): number =>
  HEX[byte] === 1 ? Number.parseInt(String.fromCharCode(byte), 16) : -1

/** Each byte, and for a capital letter of ASCII the small one. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
)
export const same = (byte: number): number => byte
export const folded = (byte: number): number => FOLDED[byte] ?? 0
