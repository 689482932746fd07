import { handOver } from "./command.mjs"
import { bun, main } from "./project.mjs"
import { setup } from "./setup.mjs"

await main("demo", async () => {
  await setup()
  return handOver(bun, ["run", "src/cli.ts", "demo", ...process.argv.slice(2)])
})
