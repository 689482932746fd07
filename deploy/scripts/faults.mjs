import { spawn } from "node:child_process"
import { mkdirSync, openSync, readFileSync, rmSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { binary, build } from "./build.mjs"
import { bun, main, root } from "./project.mjs"

// The long suite of faults, a shard for each core, its output in dist/faults/. With --background it answers
// at once and the shards go on by themselves.

const folder = join(root, "dist", "faults")
const shards = availableParallelism()
const logOf = (shard) => join(folder, `shard-${shard}.log`)

const start = (shard, detached) => {
  const log = openSync(logOf(shard), "w")
  const child = spawn(bun, ["test/faults/long.ts", String(shard), String(shards), folder], {
    cwd: root,
    detached,
    env: { ...process.env, AGENT_RUNTIME_TEST_BINARY: binary },
    stdio: ["ignore", log, log]
  })
  if (detached) child.unref()
  return new Promise((resolve) => child.on("exit", (code) => resolve(code === 0)))
}

await main("test:faults", async () => {
  await build()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const numbers = Array.from({ length: shards }, (_, index) => index + 1)
  const background = process.argv.includes("--background")
  const ends = numbers.map((shard) => start(shard, background))
  process.stdout.write(`${shards} shards write to dist/faults/shard-*.log\n`)
  if (background) return 0
  const sound = await Promise.all(ends)
  for (const shard of numbers) process.stdout.write(readFileSync(logOf(shard), "utf8"))
  return sound.every((ok) => ok) ? 0 : 1
})
