import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { binary, build } from "./build.mjs"
import { handOver } from "./command.mjs"
import { installPeers } from "./peers.mjs"
import { bun, main, root, Trouble } from "./project.mjs"

// npm run bench [-- --quick]: one table of ratios, against SQLite itself and against other queues, in at most 35
// minutes (13); also in dist/bench/table.md. npm run bench PART: test/bench/bench.ts says which there are.
// npm run bench -- --readme: the last table into README.md.

const BEGIN = "<!-- bench -->"
const END = "<!-- /bench -->"

const intoReadme = () => {
  const made = join(root, "dist", "bench", "table.md")
  if (!existsSync(made)) throw new Trouble("there is no dist/bench/table.md yet: `npm run bench` makes it.")
  const readme = join(root, "README.md")
  const text = readFileSync(readme, "utf8")
  const [before, rest] = text.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Trouble(`README.md has no place between ${BEGIN} and ${END}.`)
  writeFileSync(readme, `${before}${BEGIN}\n${readFileSync(made, "utf8").trimEnd()}\n${END}${after}`)
  process.stdout.write("README.md has the table of dist/bench/table.md\n")
  return 0
}

await main("bench", async () => {
  const words = process.argv.slice(2)
  if (words.includes("--readme")) return intoReadme()
  await build()
  process.env.AGENT_RUNTIME_TEST_BINARY = binary
  const isWhole = words.every((word) => word.startsWith("--"))
  if (isWhole) process.env.AGENT_RUNTIME_BENCH_PEERS = (await installPeers()) ?? ""
  // Databases of gigabytes: they are gone afterwards, however it ends.
  const work = mkdtempSync(join(tmpdir(), "agent-runtime-bench-"))
  process.env.TMPDIR = work
  try {
    return await handOver(bun, ["test/bench/bench.ts", ...words])
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})
