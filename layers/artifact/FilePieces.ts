import type { FileHandle } from "node:fs/promises"
import { setImmediate } from "node:timers/promises"

/** So many bytes are a few milliseconds' work at most: between two pieces the process turns to what else waits. */
const PIECE = 256 * 1024

/** More of one file is not read: an agent makes a sparse file of a terabyte in no time. Half a minute's work, or less. */
const MOST_GIB = 8
const TOO_LARGE = `it is larger than ${MOST_GIB} GiB`

/**
 * Gives an open file's bytes to `met` piece by piece, from where it stands, until that answers true or the file
 * ends: answers whether it did. The next piece overwrites the last one. Rejects when the signal is given, and for a file
 * of more than 8 GiB.
 */
export const scanFile = async (
  file: FileHandle,
  met: (bytes: Uint8Array) => boolean,
  signal: AbortSignal
): Promise<boolean> => {
  const { size } = await file.stat()
  if (size > MOST_GIB * 1024 ** 3) throw Object.assign(new Error(TOO_LARGE), { code: TOO_LARGE })
  const buffer = new Uint8Array(PIECE)
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, PIECE, null)
    if (bytesRead === 0) return false
    if (met(buffer.subarray(0, bytesRead))) return true
    // Reads that are answered fast enough follow each other without a turn of the event loop.
    await setImmediate()
  }
}

/** The lower-case hex SHA-256 of an open file's content. Rejects as `scanFile` does. */
export const hashFile = async (file: FileHandle, signal: AbortSignal): Promise<string> => {
  const hash = new Bun.CryptoHasher("sha256")
  const take = (bytes: Uint8Array) => {
    hash.update(bytes)
    return false
  }
  await scanFile(file, take, signal)
  return hash.digest("hex")
}
