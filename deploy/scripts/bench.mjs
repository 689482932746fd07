import { build } from "./build.mjs"
import { handOver } from "./command.mjs"
import { bun, main } from "./project.mjs"

await main("bench", async () => {
  await build()
  return handOver(bun, ["test/bench/bench.ts", ...process.argv.slice(2)])
})
