import { Database } from "bun:sqlite"
import { connect } from "node:net"
import { Place } from "../support/binary.ts"
import { contest, type Line, print } from "./Measure.ts"
import { fill } from "./Queue.ts"

// Requests over connections that stay open, one after the other on each, read without a client library, so that what
// is measured is the server.

const CONNECTIONS = 8
const PER_ROUND = 200
const ROUNDS = 5

const FEW = 1_000
const MANY = 1_000_000

const PATHS = { health: "/api/heartbeat", state: "/api/state", "a page of 50 tasks": "/api/tasks?limit=50" }

/** Answers every path with the bytes that its file of that name holds. */
const FLOOR = `
const bodies = JSON.parse(process.env.BODIES)
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: ({ url }) =>
  new Response(bodies[url.slice(url.indexOf("/", 8))], { headers: { "content-type": "application/json" } }) })
console.log(server.port)`

const END_OF_HEAD = Buffer.from("\r\n\r\n")

/** Reads the answers of one connection; tells when each is complete. */
const reader = (complete: () => void) => {
  let held = Buffer.alloc(0)
  return (bytes: Uint8Array): void => {
    held = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes])
    for (let end = held.indexOf(END_OF_HEAD); end >= 0; end = held.indexOf(END_OF_HEAD)) {
      const head = held.toString("latin1", 0, end)
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
      if (!head.startsWith("HTTP/1.1 200 ") || length === undefined)
        throw new Error(`the server answered ${head.slice(0, 200)}`)
      const size = end + END_OF_HEAD.length + Number(length)
      if (held.length < size) return
      held = Buffer.from(held.subarray(size))
      complete()
    }
  }
}

/** Asks a path `times` times over one connection. */
const ask = (port: number, path: string, times: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`
    let left = times
    const socket = connect(port, "127.0.0.1", () => socket.write(request))
    const met = reader(() => {
      left--
      if (left > 0) socket.write(request)
      else socket.end(resolve)
    })
    socket.setNoDelay(true)
    socket.on("error", reject)
    socket.on("close", () => reject(new Error(`${path}: closed with ${left} answers missing`)))
    socket.on("data", (bytes) => {
      try {
        met(Buffer.from(bytes))
      } catch (cause) {
        reject(cause)
      }
    })
  })

const asks = (port: number, path: string) => () =>
  Promise.all(Array.from({ length: CONNECTIONS }, () => ask(port, path, PER_ROUND / CONNECTIONS)))

/** A program that tells its port in the first line that fits. */
interface Listening {
  readonly port: number
  readonly end: () => Promise<void>
}

const listening = async (
  child: Bun.Subprocess<"ignore", "pipe" | "ignore", "pipe" | "ignore">,
  told: ReadableStream<Uint8Array<ArrayBuffer>>,
  line: RegExp
): Promise<Listening> => {
  const texts = told.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  let port: string | undefined
  while (port === undefined) {
    const { done, value } = await texts.read()
    if (done) throw new Error(`the server ended before it listened: ${text}`)
    text += value
    port = line.exec(text)?.[1]
  }
  void (async () => {
    while (!(await texts.read()).done);
  })()
  return {
    port: Number(port),
    end: async () => {
      child.kill()
      await child.exited
    }
  }
}

/** `serve` of the compiled binary over a queue of so many tasks. */
const ours = async (tasks: number): Promise<Listening> => {
  const place = await Place.make()
  await place.json(["status"])
  const db = new Database(place.path("state", "runtime.db"))
  fill(db, 1, tasks, 0)
  db.run("PRAGMA wal_checkpoint(TRUNCATE)")
  db.close()
  const child = place.start(["serve", "--port", "0"])
  const server = await listening(child, child.stderr, /Listening on http:\/\/127\.0\.0\.1:(\d+)\//)
  return {
    port: server.port,
    end: async () => {
      await server.end()
      await place.remove()
    }
  }
}

/** A bare Bun.serve in a process of its own that returns the same bytes. */
const bare = async (like: number): Promise<Listening> => {
  const bodies: Record<string, string> = {}
  for (const path of Object.values(PATHS))
    bodies[path] = await (await fetch(`http://127.0.0.1:${like}${path}`)).text()
  const child = Bun.spawn([process.execPath, "-e", FLOOR], {
    env: { PATH: process.env.PATH ?? "", BODIES: JSON.stringify(bodies) },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore"
  })
  return listening(child, child.stdout, /^(\d+)\n/)
}

/** Requests per second beside a bare server, and the state beside a queue a thousand times as long. */
export const requests = async (): Promise<void> => {
  const open: Array<Listening> = []
  const begun = async (one: Promise<Listening>): Promise<number> => {
    open.push(await one)
    return open.at(-1)?.port ?? 0
  }
  try {
    const few = await begun(ours(FEW))
    const floor = await begun(bare(few))
    const lines: Array<Line> = []
    for (const [name, path] of Object.entries(PATHS))
      lines.push(
        await contest({
          name,
          perRound: PER_ROUND,
          rounds: ROUNDS,
          program: asks(few, path),
          floor: asks(floor, path)
        })
      )
    print(`requests over ${CONNECTIONS} connections (floor: a bare Bun.serve with the same bytes)`, lines)
    const many = await begun(ours(MANY))
    const flat = await contest({
      name: `state at ${MANY.toLocaleString("en")} tasks`,
      perRound: PER_ROUND,
      rounds: ROUNDS,
      program: asks(many, PATHS.state),
      floor: asks(few, PATHS.state)
    })
    print(`length of the queue (floor: the same at ${FEW.toLocaleString("en")}; 1 is flat)`, [flat])
  } finally {
    for (const one of open) await one.end()
  }
}
