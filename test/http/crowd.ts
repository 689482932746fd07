import { setTimeout as sleep } from "node:timers/promises"

// A crowd of clients of a server, in a process of its own: what it costs is not what the server costs, and it has its
// own descriptors. `crowd.ts PORT` does what it is told by messages, one after the other, and answers each.

/** What a crowd can be told to do. */
export type Order =
  /** Opens connections that never get to the end of a request, and opens again those that the server ends. */
  | { readonly do: "half-open"; readonly count: number }
  /** Sends bodies a little at a time. */
  | { readonly do: "bodies"; readonly count: number }
  /** Asks for an answer and takes nothing of it. */
  | { readonly do: "takers"; readonly count: number; readonly path: string }
  /** Opens streams of the history; `idle` of them take nothing after their beginning. */
  | { readonly do: "streams"; readonly count: number; readonly idle: number }
  /** Waits until the streams that read have come to an event. */
  | { readonly do: "read"; readonly upTo: number }
  /** Lets the idle streams read, waits until they have ended, and opens them again where they were. */
  | { readonly do: "resume"; readonly upTo: number }

/** What became of it. */
export interface Answer {
  /** Clients that are there. */
  readonly open: number
  /** Those that the server has ended. */
  readonly ended: number
  /** Streams that lack an event, have one twice or out of order. */
  readonly wrong: number
}

const port = Number(process.argv[2])
const LIMIT_MS = 120_000

const until = async (isSo: () => boolean): Promise<void> => {
  const end = performance.now() + LIMIT_MS
  while (!isSo() && performance.now() < end) await sleep(20)
}

type Connection = Bun.Socket<undefined>

const connect = (of: {
  readonly open: (socket: Connection) => void
  readonly data?: (socket: Connection, bytes: Buffer) => void
  readonly close: () => void
}): Promise<Connection | undefined> =>
  Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: { data: () => {}, error: () => {}, end: (socket) => void socket.end(), ...of }
  }).catch(() => undefined)

const inTens = async (count: number, one: (index: number) => Promise<unknown>): Promise<void> => {
  for (let at = 0; at < count; at += 100)
    await Promise.all(Array.from({ length: Math.min(100, count - at) }, (_, more) => one(at + more)))
}

const BEGINNINGS = [
  "",
  "GET /api/state HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
  "POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n",
  "GET /api/he"
]

const tally = { open: 0, ended: 0, wrong: 0 }

/** Holds so many connections, each begun in its way; one that ends is opened again. */
const holding = async (count: number, begin: (index: number) => string, data?: (s: Connection) => void) => {
  const sockets = new Map<number, Connection>()
  const own = { open: 0, ended: 0 }
  const one = async (index: number) => {
    const socket = await connect({
      open: (opened) => {
        own.open++
        opened.write(begin(index))
      },
      ...(data === undefined ? {} : { data }),
      close: () => {
        own.open--
        own.ended++
        sockets.delete(index)
      }
    })
    if (socket !== undefined) sockets.set(index, socket)
  }
  await inTens(count, one)
  void (async () => {
    for (;;) {
      await sleep(500)
      const missing = Array.from({ length: count }, (_, index) => index).filter((at) => !sockets.has(at))
      await inTens(Math.min(missing.length, 1_000), (at) => one(missing[at] ?? 0))
    }
  })()
  return { own, sockets }
}

class StreamReader {
  readonly ids: Array<number> = []
  last = -1
  isEnded = false
  isPaused = false
  private head = true
  private text = ""
  private body = ""
  private socket: Connection | undefined

  constructor(readonly isIdle: boolean) {}

  async open(after?: number): Promise<void> {
    const resumed = after === undefined ? "" : `Last-Event-ID: ${after}\r\n`
    const decoder = new TextDecoder()
    this.socket = await connect({
      open: (socket) => void socket.write(`GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n${resumed}\r\n`),
      data: (socket, bytes) => {
        this.take(bytes.toString("latin1"), decoder)
        if (this.isIdle && this.last >= 0 && !this.isPaused) {
          this.isPaused = true
          socket.pause()
        }
      },
      close: () => {
        this.isEnded = true
      }
    })
  }

  /** Reads on after a pause. */
  read(): void {
    this.socket?.resume()
  }

  // Chunks are counted in bytes: the text is one of bytes until a chunk is whole.
  private take(bytes: string, decoder: TextDecoder): void {
    this.text += bytes
    if (this.head) {
      const end = this.text.indexOf("\r\n\r\n")
      if (end < 0) return
      if (!this.text.startsWith("HTTP/1.1 200 ")) throw new Error(this.text.slice(0, end))
      this.head = false
      this.text = this.text.slice(end + 4)
    }
    for (;;) {
      const line = this.text.indexOf("\r\n")
      if (line < 0) return
      const length = Number.parseInt(this.text.slice(0, line), 16)
      if (this.text.length < line + length + 4) return
      const chunk = Buffer.from(this.text.slice(line + 2, line + 2 + length), "latin1")
      this.text = this.text.slice(line + length + 4)
      this.body += decoder.decode(chunk, { stream: true })
      this.told()
    }
  }

  private told(): void {
    for (let end = this.body.indexOf("\n\n"); end >= 0; end = this.body.indexOf("\n\n")) {
      const [id, event, data] = ["id", "event", "data"].map(
        (name) => new RegExp(`^${name}: (.*)$`, "m").exec(this.body.slice(0, end))?.[1]
      )
      this.body = this.body.slice(end + 2)
      if (id !== undefined) this.last = Number(id)
      if (event === "events" && data !== undefined)
        for (const one of JSON.parse(data).events) this.ids.push(one.id)
    }
  }
}

const isWhole = (ids: ReadonlyArray<number>, upTo: number): boolean =>
  ids.length === upTo && ids.every((id, at) => id === at + 1)

const streams: Array<StreamReader> = []

const told = async (order: Order): Promise<Answer> => {
  switch (order.do) {
    case "half-open": {
      const { own } = await holding(order.count, (index) => BEGINNINGS[index % BEGINNINGS.length] ?? "")
      return { ...tally, ...own }
    }
    case "bodies": {
      const { own, sockets } = await holding(
        order.count,
        () =>
          "POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
      )
      void (async () => {
        for (;;) {
          await sleep(200)
          for (const socket of sockets.values()) socket.write(" ".repeat(200))
        }
      })()
      return { ...tally, ...own }
    }
    case "takers": {
      const { own } = await holding(
        order.count,
        () => `GET ${order.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
        (socket) => void socket.pause()
      )
      return { ...tally, ...own }
    }
    case "streams": {
      for (let at = 0; at < order.count; at++) streams.push(new StreamReader(at < order.idle))
      await inTens(order.count, (at) => streams[at]?.open() ?? Promise.resolve())
      await until(() => streams.every(({ last }) => last >= 0))
      return { ...tally, open: streams.filter(({ isEnded }) => !isEnded).length }
    }
    case "read": {
      const readers = streams.filter(({ isIdle }) => !isIdle)
      await until(() => readers.every(({ last }) => last >= order.upTo))
      return {
        open: readers.filter(({ isEnded }) => !isEnded).length,
        ended: readers.filter(({ isEnded }) => isEnded).length,
        wrong: readers.filter(({ ids }) => !isWhole(ids, order.upTo)).length
      }
    }
    case "resume": {
      const idle = streams.filter(({ isIdle }) => isIdle)
      for (const one of idle) one.read()
      await until(() => idle.every(({ isEnded }) => isEnded))
      const dropped = idle.filter(({ isEnded }) => isEnded)
      const again = await Promise.all(
        dropped.map(async ({ last }) => {
          const one = new StreamReader(false)
          await one.open(last)
          return one
        })
      )
      await until(() => again.every(({ last }) => last >= order.upTo))
      return {
        open: again.filter(({ isEnded }) => !isEnded).length,
        ended: dropped.length,
        wrong: again.filter(({ ids }, at) => !isWhole([...(dropped[at]?.ids ?? []), ...ids], order.upTo))
          .length
      }
    }
  }
}

if (import.meta.main) {
  process.on("message", async (order: Order) => {
    process.send?.(await told(order))
  })
  process.on("disconnect", () => process.exit())
}
