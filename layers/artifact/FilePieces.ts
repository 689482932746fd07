import type { FileHandle } from "node:fs/promises"
import { setImmediate } from "node:timers/promises"

/** So many bytes are a few milliseconds' work at most: between two pieces the process turns to what else waits. */
const PIECE = 256 * 1024

/**
 * Gives an open file's bytes to `met` piece by piece, from where it stands, until that answers true or the file
 * ends: answers whether it did. The next piece overwrites the last one. Rejects when the signal is given.
 */
export const scanFile = async (
  file: FileHandle,
  met: (bytes: Uint8Array) => boolean,
  signal: AbortSignal
): Promise<boolean> => {
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
