import { deflateSync, inflateSync } from "node:zlib"

interface Pixels {
  readonly width: number
  readonly height: number
  /** A number of 24 bits for each pixel, row by row. */
  readonly colors: Uint32Array
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

const paeth = (a: number, b: number, c: number): number => {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)]
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}

/** The pixels of a picture as browsers write it: eight bits a channel, RGB or RGBA, not interlaced. */
export const decoded = (png: Buffer): Pixels => {
  const parts: Array<Buffer> = []
  let [width, height, channels] = [0, 0, 3]
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const name = png.toString("latin1", at + 4, at + 8)
    const data = png.subarray(at + 8, at + 8 + length)
    if (name === "IHDR") {
      width = data.readUInt32BE(0)
      height = data.readUInt32BE(4)
      channels = data[9] === 6 ? 4 : 3
    }
    if (name === "IDAT") parts.push(data)
    at += length + 12
  }
  const raw = inflateSync(Buffer.concat(parts))
  const stride = width * channels
  const rows = new Uint8Array(height * stride)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x
      const left = x < channels ? 0 : (rows[at - channels] ?? 0)
      const up = y === 0 ? 0 : (rows[at - stride] ?? 0)
      const corner = x < channels || y === 0 ? 0 : (rows[at - stride - channels] ?? 0)
      const more = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0
      rows[at] = (raw[y * (stride + 1) + 1 + x] ?? 0) + more
    }
  }
  const colors = new Uint32Array(width * height)
  for (let at = 0; at < colors.length; at++)
    colors[at] =
      ((rows[at * channels] ?? 0) << 16) |
      ((rows[at * channels + 1] ?? 0) << 8) |
      (rows[at * channels + 2] ?? 0)
  return { width, height, colors }
}

const distance = (a: number, b: number): number => {
  const [red, green, blue] = [
    (a >> 16) - (b >> 16),
    ((a >> 8) & 255) - ((b >> 8) & 255),
    (a & 255) - (b & 255)
  ]
  return 2 * red * red + 4 * green * green + 3 * blue * blue
}

const chunk = (name: string, data: Uint8Array): Buffer => {
  const named = Buffer.concat([Buffer.from(name, "latin1"), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(Bun.hash.crc32(named))
  return Buffer.concat([length, named, sum])
}

/** The most frequent colours, and of the others those that these would show worst: a green tick among greys. */
const paletteOf = (colors: Uint32Array): ReadonlyArray<number> => {
  const counts = new Map<number, number>()
  for (const color of colors) counts.set(color, (counts.get(color) ?? 0) + 1)
  const ranked = [...counts].sort((a, b) => b[1] - a[1])
  const palette = ranked.slice(0, 160).map(([color]) => color)
  const rest = ranked.slice(160).map(([color, count]) => ({
    color,
    count,
    off: Math.min(...palette.map((one) => distance(one, color)))
  }))
  while (palette.length < 256 && rest.length > 0) {
    let worst = 0
    for (let at = 1; at < rest.length; at++) {
      const [here, there] = [rest[at], rest[worst]]
      if (here && there && here.off * Math.sqrt(here.count) > there.off * Math.sqrt(there.count)) worst = at
    }
    const [taken] = rest.splice(worst, 1)
    if (taken === undefined) break
    palette.push(taken.color)
    for (const one of rest) one.off = Math.min(one.off, distance(taken.color, one.color))
  }
  return palette
}

/** The same picture in 256 colours, a byte a pixel: a third of the bytes of what a browser writes. */
export const packed = (png: Buffer): Buffer => {
  const { colors, height, width } = decoded(png)
  const palette = paletteOf(colors)
  const nearest = new Map(palette.map((color, at) => [color, at]))
  const indexOf = (color: number): number => {
    const known = nearest.get(color)
    if (known !== undefined) return known
    let best = 0
    for (let at = 1; at < palette.length; at++)
      if (distance(palette[at] ?? 0, color) < distance(palette[best] ?? 0, color)) best = at
    nearest.set(color, best)
    return best
  }
  const rows = Buffer.alloc(height * (width + 1))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = indexOf(colors[y * width + x] ?? 0)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", Buffer.from(palette.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]))),
    chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0))
  ])
}
