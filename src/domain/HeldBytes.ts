/**
 * Bytes kept from one call to the next, in two buffers by turns: what lies in the other one is being read.
 * `with` answers them and the next chunk as one stretch, `keep` those of it that are to be kept.
 */
export const heldBytes = () => {
  let [buffer, other] = [NOTHING, NOTHING]
  let length = 0
  const room = (bytes: Uint8Array<ArrayBuffer>, wanted: number): Uint8Array<ArrayBuffer> => {
    if (bytes.length >= wanted) return bytes
    const grown = new Uint8Array(2 * wanted)
    grown.set(bytes)
    return grown
  }
  return {
    length: () => length,
    with: (chunk: Uint8Array): Uint8Array => {
      if (length === 0) return chunk
      buffer = room(buffer, length + chunk.length)
      buffer.set(chunk, length)
      return buffer.subarray(0, length + chunk.length)
    },
    keep: (bytes: Uint8Array): void => {
      other = room(other, bytes.length)
      other.set(bytes)
      ;[buffer, other] = [other, buffer]
      length = bytes.length
    }
  }
}

const NOTHING = new Uint8Array(0)
