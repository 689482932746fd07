import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { missing } from "../support/probes.ts"
import { faults } from "./Catalogue.ts"
import type { Fault, Rounded } from "./Fault.ts"
import { randomOf, seedOf } from "./Random.ts"

// One shard of all faults: bun test/faults/faults.ts --shard 1/4 --seed 42 [--only WORDS] [--rounds N] [--folder F].
// `npm run faults` builds first.

const SHARD_LIMIT_MS = 7.5 * 60_000

const { values } = parseArgs({
  options: {
    shard: { type: "string", default: "1/1" },
    seed: { type: "string" },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "1000000" },
    folder: { type: "string", default: "dist/faults" }
  }
})
const [shard = 1, shards = 1] = values.shard.split("/").map(Number)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const most = Number(values.rounds)
const file = join(values.folder, `shard-${shard}-of-${shards}.md`)
const late = performance.now() + SHARD_LIMIT_MS

interface Row {
  readonly fault: Fault
  readonly rounds: ReadonlyArray<number>
  done: number
  strikes: number
  readonly broken: Array<string>
  readonly lacks: ReadonlyArray<string>
}

/** Rounds of this shard; a fault of few rounds begins at another shard than the last one. */
const rows: ReadonlyArray<Row> = faults
  .filter(({ name }) => name.includes(values.only))
  .map((fault, at) => ({
    fault,
    rounds: Array.from({ length: Math.min(fault.rounds, most) }, (_, number) => number).filter(
      (number) => (number + at) % shards === shard - 1
    ),
    done: 0,
    strikes: 0,
    broken: [],
    lacks: missing(fault.needs)
  }))

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

const stateOf = ({ broken, done, lacks, rounds }: Row): string =>
  lacks.length > 0
    ? `not run: needs ${lacks.join(", ")}`
    : broken.length > 0
      ? `${broken.length} broken`
      : done < rounds.length
        ? "sound, cut short by the clock"
        : "sound"

const table = (): string =>
  [
    `# Faults, shard ${shard} of ${shards}, seed ${seed}`,
    "",
    "| fault | rounds | strikes | result | found and mended on the way |",
    "|---|---|---|---|---|",
    ...rows
      .filter(({ rounds }) => rounds.length > 0)
      .map((row) =>
        [
          "",
          row.fault.name,
          `${row.done} of ${row.rounds.length}`,
          row.strikes,
          stateOf(row),
          row.fault.found,
          ""
        ]
          .map((text) => cell(String(text)))
          .join(" | ")
          .trim()
      ),
    ...rows.flatMap(({ broken, fault }) => broken.map((one) => `\n- ${fault.name}, ${one}`)),
    ""
  ].join("\n")

const tried = async (fault: Fault, number: number): Promise<Rounded> => {
  const random = randomOf(seedOf(seed, fault.name, number))
  const keepAs = join(values.folder, `broken-${fault.name.replaceAll(/\W+/g, "-")}-${number}`)
  try {
    return await fault.round({ number, random, keepAs })
  } catch (error) {
    return {
      strikes: 1,
      violations: [`it could not be tried: ${error instanceof Error ? error.message : error}`]
    }
  }
}

mkdirSync(values.folder, { recursive: true })
writeFileSync(file, table())
// Round after round of every fault in turn, so that a shard that is out of time has tried all of them.
for (let turn = 0; rows.some(({ rounds }) => turn < rounds.length); turn++)
  for (const row of rows) {
    const number = row.rounds[turn]
    if (number === undefined || row.lacks.length > 0 || performance.now() > late) continue
    const began = performance.now()
    const { strikes, violations } = await tried(row.fault, number)
    row.done++
    row.strikes += strikes
    if (violations.length > 0) {
      row.broken.push(`round ${number}: ${violations.slice(0, 5).join("; ")}`)
      appendFileSync(`${file}.log`, `${row.fault.name}, round ${number}:\n  ${violations.join("\n  ")}\n`)
    }
    const ms = (performance.now() - began).toFixed(0)
    console.log(
      `${row.fault.name}, round ${number}: ${violations.length === 0 ? "sound" : "BROKEN"}, ${strikes} strikes, ${ms} ms`
    )
    for (const violation of violations.slice(0, 5)) console.log(`    ${violation}`)
    writeFileSync(file, table())
  }
console.log(table())
process.exit(rows.some(({ broken }) => broken.length > 0) ? 1 : 0)
