import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Ask, Found } from "./System.ts"

const here = import.meta.dir
const modules = join(here, "peers", "node_modules")
const node = join(modules, `node-linux-${process.arch}`, "bin", "node")

/** A system that is measured in processes of its own. */
export interface Peer {
  readonly title: string
  readonly command: ReadonlyArray<string>
  /** How often it looks for work when nothing else is said. */
  readonly looks: string
  /** Whether its setting for that is worth a second look at 5 ms. */
  readonly polls: boolean
  /** Why another process cannot enqueue, where it cannot. */
  readonly alone?: string
  readonly hasBatch: boolean
  /** Said of every figure: how the durability was brought about. */
  readonly forced: string
}

export const floor: Peer = {
  title: "floor",
  command: [process.execPath, join(here, "floorSystem.ts")],
  looks: "polls PRAGMA data_version every ms",
  polls: true,
  hasBatch: true,
  forced: "raw bun:sqlite"
}

export const peers = {
  plainjob: {
    title: "plainjob 0.0.14",
    command: [process.execPath, join(here, "peers", "plainjob.mjs")],
    looks: "polls every 1,000 ms",
    polls: true,
    hasBatch: true,
    forced: "FULL set on its connection after its own NORMAL"
  },
  bunqueue: {
    title: "bunqueue 2.9.5",
    command: [process.execPath, join(here, "peers", "bunqueue.mjs")],
    looks: "wakes in its own process",
    polls: false,
    alone: "a shared queue: embedded, bunqueue belongs to one process (others need its TCP server)",
    hasBatch: true,
    forced: "embedded; its PRAGMA rewritten to FULL, every job `durable: true`"
  },
  liteque: {
    title: "liteque 0.8.0",
    command: [node, join(here, "peers", "liteque.mjs")],
    looks: "polls every 1,000 ms (its README)",
    polls: true,
    hasBatch: false,
    forced: "FULL set on its connection after its own NORMAL; better-sqlite3 11.3.0"
  },
  sidequest: {
    title: "sidequest 1.16.4",
    command: [node, join(here, "peers", "sidequest.mjs")],
    looks: "polls every 100 ms",
    polls: true,
    hasBatch: false,
    forced:
      "WAL and FULL set by its pool instead of its rollback journal; jobs run inline, no fork, no threads"
  }
} as const satisfies Record<string, Peer>

export type PeerName = keyof typeof peers
export const peerNames = Object.keys(peers) as ReadonlyArray<PeerName>

/** Why a peer cannot be measured here; undefined where it can. */
export const lacking = (peer: Peer): string | undefined => {
  const told = process.env.AGENT_RUNTIME_BENCH_PEERS
  if (told !== undefined && told !== "") return told
  return peer.command.every((part) => existsSync(part)) && existsSync(modules)
    ? undefined
    : "the peers of test/bench/peers, which `npm run bench` installs"
}

/** A measure that gave no figure, with a reason for the table. */
export class Failure extends Error {}

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1) ?? ""

const spawn = (peer: Peer, ask: Ask, folder: string) =>
  Bun.spawn([...peer.command, JSON.stringify(ask)], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8", NODE_NO_WARNINGS: "1" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe"
  })

/** What a started phase found; it is killed after `limitMs`. */
const finished = async (
  peer: Peer,
  child: ReturnType<typeof spawn>,
  ask: Ask,
  limitMs: number,
  out: Promise<string>
) => {
  let late = false
  const alarm = setTimeout(() => {
    late = true
    child.kill("SIGKILL")
  }, limitMs)
  const [text, err, code] = await Promise.all([out, new Response(child.stderr).text(), child.exited])
  clearTimeout(alarm)
  if (late) throw new Failure(`more than ${Math.round(limitMs / 1_000)} s for its phase "${ask.phase}"`)
  if (code !== 0)
    throw new Failure(
      `its phase "${ask.phase}" to succeed: ${/^\w*Error.*$/m.exec(err)?.[0] ?? lastLine(err)}`
    )
  const found = JSON.parse(lastLine(text)) as Found
  if (!found.settings.startsWith("wal/FULL"))
    throw new Failure(`WAL and FULL for all; ${peer.title} is at ${found.settings}`)
  return found
}

/** One phase of a system in a process of its own. */
export const phase = (peer: Peer, ask: Ask, folder: string, limitMs: number): Promise<Found> => {
  const child = spawn(peer, ask, folder)
  return finished(peer, child, ask, limitMs, new Response(child.stdout).text())
}

/** One process works, another adds jobs as soon as the first is at work: milliseconds from acknowledged to begun. */
export const between = async (peer: Peer, ask: Omit<Ask, "phase">, folder: string, limitMs: number) => {
  const working = { ...ask, phase: "consume" } as const
  const child = spawn(peer, working, folder)
  const began = Promise.withResolvers<void>()
  const told = async () => {
    let text = ""
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece
      if (text.includes("\n")) began.resolve()
    }
    // It may end without a word; `found` tells why.
    began.resolve()
    return text
  }
  const found = finished(peer, child, working, limitMs, told())
  found.catch(() => {})
  await began.promise
  // What the start has to do for the first time is no part of the figure.
  await Bun.sleep(1_000)
  const producer = await phase(peer, { ...ask, phase: "produce" }, folder, limitMs)
  const { begun = [] } = await found
  return waits(producer.acknowledged ?? [], begun)
}

/** Milliseconds from acknowledged to begun, of the jobs that began. */
export const waits = (acknowledged: ReadonlyArray<number>, begun: ReadonlyArray<number | null>) => {
  const all = acknowledged.flatMap((at, seq) => {
    const start = begun[seq]
    return start === undefined || start === null ? [] : [Math.max(0, start - at)]
  })
  if (all.length === 0) throw new Failure("a job that begins")
  return all
}

/** A folder for a measure, gone afterwards. */
export const inFolder = async <A>(program: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await mkdtemp(join(tmpdir(), "agent-runtime-bench-"))
  try {
    return await program(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
