import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { copyFile, mkdir, rm, symlink } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { type Fault, struck } from "../Fault.ts"
import { between, pick } from "../Random.ts"
import { reading } from "../Rows.ts"
import { Scene } from "../Scene.ts"
import { WITNESS } from "../Witness.ts"

const parts = ["runtime.db", "runtime.db-wal", "runtime.db-shm"] as const
/** What tells how far the runtime was. */
const kept = [...parts, WITNESS]

const damages: ReadonlyArray<(file: string, random: () => number) => void> = [
  (file, random) => truncateSync(file, between(random, 0, statSync(file).size)),
  (file, random) => {
    const bytes = readFileSync(file)
    const at = between(random, 0, Math.max(0, bytes.length - 64))
    bytes.fill(between(random, 0, 255), at, at + between(random, 1, 64))
    writeFileSync(file, bytes)
  },
  (file, random) => {
    const bytes = readFileSync(file)
    bytes.copy(bytes, between(random, 0, bytes.length), 0, between(random, 0, 4096))
    writeFileSync(file, bytes)
  },
  (file) => writeFileSync(file, ""),
  (file, random) => writeFileSync(file, Buffer.alloc(statSync(file).size, between(random, 0, 255)))
]

/** A scene whose dispatcher was killed, so that the journal is still there. */
const left = async (): Promise<Scene> => {
  const scene = await Scene.make()
  await scene.queue(2)
  await scene.runOnce()
  const holder = reading(scene.database)
  holder.query("SELECT count(*) FROM tasks").all()
  await scene.queue(2)
  for (const part of kept) await copyFile(scene.place.path("state", part), scene.place.path(part))
  holder.close()
  await putBack(scene)
  return scene
}

const putBack = async (scene: Scene): Promise<void> => {
  for (const part of kept) await copyFile(scene.place.path(part), scene.place.path("state", part))
}

/**
 * Commands on a damaged store do their work or refuse it in words; none of them crashes, hangs or tells SQL. When the
 * files are put back as they were, all that was acknowledged before is there and is done.
 */
export const damagedFiles: Fault = {
  name: "damaged, truncated and swapped database, WAL and shm",
  needs: [],
  rounds: 60,
  sample: [0],
  found:
    "a process went on taking work into a database that was removed or swapped beneath it; now it takes no more, saves what was recorded and ends with exit code 3",
  round: async ({ keepAs, number, random }) => {
    const scene = await left()
    let violations: ReadonlyArray<string> = []
    try {
      const { facts } = scene.recorder
      const file = scene.place.path("state", pick(random, parts))
      if (number % 6 === 5) {
        const other = await left()
        await copyFile(other.place.path(pick(random, parts)), file)
        await other.end()
      } else damages[number % damages.length]?.(file, random)
      for (const args of [
        ["status"],
        ["task-list"],
        ["run-once"],
        ["healthcheck"],
        ["events", "--since", "0"]
      ])
        await scene.run(args)
      await scene.intake("on a damaged store")
      await putBack(scene)
      violations = await scene.rest({ facts })
      return struck(violations)
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}

const odd: ReadonlyArray<readonly [what: string, make: (path: string) => Promise<unknown> | unknown]> = [
  ["a folder", (path) => mkdir(path)],
  ["a dangling link", (path) => symlink("nowhere", path)],
  ["a link to a file", (path) => symlink("runtime.db", path)],
  ["a link to itself", (path) => symlink("dispatch.lock", path)],
  ["a FIFO", (path) => Bun.spawnSync(["mkfifo", path])],
  ["the null device", (path) => symlink("/dev/null", path)],
  ["a file without rights", (path) => Bun.spawnSync(["sh", "-c", `: > '${path}'; chmod 000 '${path}'`])],
  ["a gigabyte of nothing", (path) => Bun.spawnSync(["truncate", "-s", "1G", path])],
  ["every byte", (path) => writeFileSync(path, Buffer.from(Array.from({ length: 256 }, (_, at) => at)))]
]

/** Something else in place of the lock: the cycle is run or refused within seconds, and its removal mends it. */
export const oddLocks: Fault = {
  name: "garbage and odd files in place of the lock",
  needs: [],
  rounds: odd.length,
  sample: [4],
  found:
    "status stood still for ever before a FIFO in place of the lock; now what is no file is refused at once. A lock file that was removed gave a second dispatcher, which stopped the attempts of the first; now its holder locks it anew, and what lives is spared",
  round: async ({ keepAs, number }) => {
    const scene = await Scene.make()
    const [what, make] = odd[number % odd.length] ?? ["", () => undefined]
    let violations: ReadonlyArray<string> = []
    try {
      await scene.queue(1)
      const lock = scene.place.path("state", "dispatch.lock")
      await rm(lock, { force: true })
      await make(lock)
      const both = [await scene.runOnce(), await scene.run(["status"])]
      const bad = both.filter(({ code }) => code !== 0 && code !== 3)
      await rm(lock, { force: true, recursive: true })
      violations = [
        ...bad.map(({ code, stderr }) => `with ${what} as the lock a command exited ${code}: ${stderr}`),
        ...(await scene.rest())
      ]
      return struck(violations)
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}

const firsts = [["status"], ["task-list"], ["run-once"], ["pause"], ["healthcheck"]]

export const openedAtOnce: Fault = {
  name: "16 processes open an absent database at once",
  needs: [],
  rounds: 10,
  sample: [],
  found: "",
  round: async ({ keepAs, random }) => {
    const scene = await Scene.make()
    let violations: ReadonlyArray<string> = []
    try {
      const told = await Promise.all(
        Array.from({ length: 16 }, (_, number) =>
          number % 2 === 0 ? scene.intake(`number ${number}`) : scene.run(pick(random, firsts))
        )
      )
      await scene.run(["resume"])
      violations = [
        ...told.filter(({ code }) => code !== 0).map(({ code, stderr }) => `one exited ${code}: ${stderr}`),
        ...(await scene.rest())
      ]
      return { strikes: 16, violations }
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}

const JOURNAL_MIB = 80
/** How long it reads; the first round is one of minutes. */
const LONG_MS = 130_000
const SHORT_MS = 15_000

/** A reader that holds its transaction while the others work: they go on, and the journal is cut when it ends. */
export const longReader: Fault = {
  name: "a reader that holds a transaction for minutes",
  needs: [],
  rounds: 2,
  sample: [],
  found: "",
  round: async ({ keepAs, number }) => {
    const scene = await Scene.make()
    let violations: ReadonlyArray<string> = []
    try {
      await scene.queue(1)
      const file = scene.database
      const reader = reading(file)
      reader.run("BEGIN")
      reader.query("SELECT count(*) FROM tasks").all()
      const dispatcher = scene.dispatch()
      const late = performance.now() + (number === 0 ? LONG_MS : SHORT_MS)
      while (performance.now() < late) {
        await scene.intake("beside a reader")
        await pause(500)
      }
      const seen = reader.query("SELECT count(*) AS n FROM tasks").get()
      reader.run("COMMIT")
      reader.close()
      await dispatcher.end("SIGTERM")
      const rested = await scene.rest()
      const journal = existsSync(`${file}-wal`) ? statSync(`${file}-wal`).size / 1_048_576 : 0
      violations = [
        ...(JSON.stringify(seen) === '{"n":1}'
          ? []
          : [`the reader's view changed to ${JSON.stringify(seen)}`]),
        ...(journal <= JOURNAL_MIB ? [] : [`the journal takes ${journal} MiB after the reader's end`]),
        ...rested
      ]
      return struck(violations)
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}
