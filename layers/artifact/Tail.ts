/** How much of a stream's end is kept in memory. */
export const TAIL_BYTES = 1024 * 1024

/** The last bytes of a stream. Takes no more than twice `TAIL_BYTES`, and little while little was written. */
export interface Tail {
  readonly push: (chunk: Uint8Array) => void
  /** The last `most` bytes as UTF-8; a character whose beginning was cut off is left out. */
  readonly text: (most: number) => string
}

export const makeTail = (): Tail => {
  let buffer = new Uint8Array(0)
  let used = 0
  const room = (wanted: number): void => {
    if (used + wanted > 2 * TAIL_BYTES) {
      const kept = Math.max(0, Math.min(used, TAIL_BYTES - wanted))
      buffer.copyWithin(0, used - kept, used)
      used = kept
    }
    if (used + wanted <= buffer.length) return
    const grown = new Uint8Array(Math.min(2 * TAIL_BYTES, Math.max(8192, 2 * (used + wanted))))
    grown.set(buffer.subarray(0, used))
    buffer = grown
  }
  return {
    push: (chunk) => {
      const part = chunk.subarray(Math.max(0, chunk.length - TAIL_BYTES))
      room(part.length)
      buffer.set(part, used)
      used += part.length
    },
    text: (most) => {
      const from = Math.max(0, used - Math.min(most, TAIL_BYTES))
      let start = from
      while (from > 0 && start < used && start - from < 3 && ((buffer[start] ?? 0) & 0xc0) === 0x80) start++
      return new TextDecoder().decode(buffer.subarray(start, used))
    }
  }
}
