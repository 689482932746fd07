import { redactorOf } from "../../src/domain/Redactor.ts"

const PIECE_BYTES = 64 * 1024
const MIB = 1024 * 1024

/** So much is masked in a round: the figure is read as seconds for 100 MiB. */
export const ROUND_MIB = 100

/** Five values as an adapter has them: keys, a token, a password with odd letters. */
const SECRETS = [
  "sk-proj-9fK2mQ7xT4vB8nL1cR6yW3zH5jD0aS",
  "ghp_aB3dE6fG9hJ2kL5mN8pQ1rS4tU7vW0xY",
  "xoxb-2913847561-AbCdEfGhIjKlMnOpQrSt",
  'p4ss"w/rd&with=odd letters',
  "0f8e7d6c5b4a39281706f5e4d3c2b1a0"
]

const repeated = (line: (at: number) => string): Uint8Array => {
  const lines: Array<string> = []
  for (let at = 0, size = 0; size < PIECE_BYTES; at++) {
    const text = line(at)
    lines.push(text)
    size += text.length
  }
  return Buffer.from(lines.join(""), "latin1").subarray(0, PIECE_BYTES)
}

/** Kinds of output that differ in how often a value may begin. */
export const OUTPUTS = {
  "log lines": repeated(
    (at) => `2026-01-01T00:00:${at % 60}Z info step ${at} took ${at * 7} ms in src/file${at}.ts\n`
  ),
  base64: repeated((at) => `${Buffer.from(`${at * at}:${at}`.repeat(12)).toString("base64")}\n`),
  "hex dump": repeated((at) => `${Buffer.from(`${at}`.repeat(20)).toString("hex")}\n`),
  "every byte": Buffer.from(Array.from({ length: PIECE_BYTES }, (_, at) => (at * 31 + (at >> 8)) & 0xff))
}

/** Masks a round's bytes as an attempt's stdout is masked: by one stream, piece by piece. */
export const mask = (piece: Uint8Array): number => {
  const stream = redactorOf(SECRETS).stream()
  let out = 0
  for (let at = 0; at < ROUND_MIB * MIB; at += PIECE_BYTES) out += stream.write(piece).length
  return out + stream.flush().length
}

/** The least that could be done: look for the plain values in each piece. */
export const search = (piece: Uint8Array): number => {
  const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
  let found = 0
  for (let at = 0; at < ROUND_MIB * MIB; at += PIECE_BYTES)
    for (const secret of SECRETS) if (bytes.includes(secret)) found++
  return found
}
