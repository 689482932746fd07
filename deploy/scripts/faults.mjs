import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { binary, build } from "./build.mjs"
import { bun, main, root } from "./project.mjs"

// npm run faults -- [--shard 1/8] [--seed 42] [--only WORDS] [--rounds N] [--lanes N]: one shard of the faults, at most eight
// minutes, its table in dist/faults/shard-I-of-N.md; without --shard all of them, one for each core.

const start = (args) =>
  new Promise((resolve) => {
    const child = spawn(bun, ["test/faults/faults.ts", ...args], {
      cwd: root,
      env: { ...process.env, AGENT_RUNTIME_TEST_BINARY: binary },
      stdio: ["ignore", "inherit", "inherit"]
    })
    child.on("exit", (code) => resolve(code === 0))
  })

await main("faults", async () => {
  await build()
  const words = process.argv.slice(2)
  const cores = availableParallelism()
  const seed = words.includes("--seed") ? [] : ["--seed", String(Date.now() % 1_000_000)]
  const shards = words.includes("--shard")
    ? [[]]
    : Array.from({ length: cores }, (_, at) => ["--shard", `${at + 1}/${cores}`, "--lanes", "1"])
  const sound = await Promise.all(shards.map((shard) => start([...words, ...shard, ...seed])))
  return sound.every((ok) => ok) ? 0 : 1
})
