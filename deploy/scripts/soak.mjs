import { binary, build } from "./build.mjs"
import { handOver } from "./command.mjs"
import { bun, main } from "./project.mjs"

await main("soak", async () => {
  await build()
  process.env.AGENT_RUNTIME_TEST_BINARY = binary
  return handOver(bun, ["test/faults/soak.ts", ...process.argv.slice(2)])
})
