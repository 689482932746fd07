import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"

// A backup carries the hash of itself: the newest row of its `backups` holds `self:` and 64 hexadecimal digits,
// the SHA-256 of the file with zeros in the place of these digits. SQLite's own check does not see a byte that
// changed inside a value.

/** What the row of the seal begins with. */
export const SEAL = "self:"
const ZEROS = Buffer.alloc(64, "0")
const CHUNK = 1024 * 1024

export interface Hashes {
  readonly bytes: number
  /** Of the file as it is. */
  readonly sha256: string
  /** Of the file with zeros in the place of the digits that were looked for. */
  readonly sealed: string
  /** Where these digits stand. */
  readonly places: ReadonlyArray<number>
}

/** Reads a file from end to end in pieces; each is a moment's work. */
export const hashes = async (path: string, digits: string): Promise<Hashes> => {
  const file = await open(path, constants.O_RDONLY)
  try {
    return await hashesOf(file, Buffer.from(digits, "latin1"))
  } finally {
    await file.close()
  }
}

const hashesOf = async (file: FileHandle, digits: Buffer): Promise<Hashes> => {
  const plain = new Bun.CryptoHasher("sha256")
  const sealed = new Bun.CryptoHasher("sha256")
  const places: Array<number> = []
  const buffer = Buffer.alloc(CHUNK + ZEROS.length)
  // The end of a piece may be the beginning of the digits: it waits for the next one.
  let held = 0
  let bytes = 0
  for (;;) {
    const { bytesRead } = await file.read(buffer, held, CHUNK, null)
    plain.update(buffer.subarray(held, held + bytesRead))
    const filled = held + bytesRead
    const begin = bytes - held
    bytes += bytesRead
    const piece = buffer.subarray(0, filled)
    if (digits.length === ZEROS.length)
      for (let at = piece.indexOf(digits); at >= 0; at = piece.indexOf(digits, at + 1)) {
        places.push(begin + at)
        ZEROS.copy(piece, at)
      }
    const ready = bytesRead === 0 ? filled : Math.max(0, filled - (ZEROS.length - 1))
    sealed.update(piece.subarray(0, ready))
    if (bytesRead === 0) return { bytes, sha256: plain.digest("hex"), sealed: sealed.digest("hex"), places }
    buffer.copy(buffer, 0, ready, filled)
    held = filled - ready
  }
}

/** Digits that no file holds yet, to stand where the seal will be. */
export const placeholder = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")

/** Writes the seal over its placeholder and waits until the file is on the disk. */
export const seal = async (path: string, holder: string): Promise<void> => {
  const { places, sealed } = await hashes(path, holder)
  if (places.length !== 1) throw new Error(`the seal of ${path} has ${places.length} places`)
  const file = await open(path, constants.O_RDWR)
  try {
    await file.write(Buffer.from(sealed, "latin1"), 0, 64, places[0]!)
    await file.sync()
  } finally {
    await file.close()
  }
}
