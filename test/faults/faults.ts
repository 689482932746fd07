import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { missing } from "../support/probes.ts"
import { faults } from "./Catalogue.ts"
import type { Fault, Rounded } from "./Fault.ts"
import { randomOf, seedOf } from "./Random.ts"

// One shard of all faults: bun test/faults/faults.ts --shard 1/8 --seed 42 [--only WORDS] [--rounds N] [--folder F]
// [--lanes N]. `npm run faults` builds first. Rounds wait most of their time, so that some go on beside each other.

const { values } = parseArgs({
  options: {
    shard: { type: "string", default: "1/1" },
    seed: { type: "string" },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "1000000" },
    folder: { type: "string", default: "dist/faults" },
    minutes: { type: "string", default: "7.5" },
    lanes: { type: "string", default: String(availableParallelism()) }
  }
})
const [shard = 1, shards = 1] = values.shard.split("/").map(Number)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const most = Number(values.rounds)
const file = join(values.folder, `shard-${shard}-of-${shards}.md`)
const late = performance.now() + Number(values.minutes) * 60_000

interface Row {
  readonly fault: Fault
  readonly rounds: ReadonlyArray<number>
  done: number
  strikes: number
  seconds: number
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
    seconds: 0,
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
    "| fault | rounds | strikes | seconds | result | found and mended on the way |",
    "|---|---|---|---|---|---|",
    ...rows
      .filter(({ rounds }) => rounds.length > 0)
      .map((row) =>
        [
          "",
          row.fault.name,
          `${row.done} of ${row.rounds.length}`,
          row.strikes,
          row.seconds.toFixed(0),
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

const attempt = async (row: Row, number: number): Promise<void> => {
  const began = performance.now()
  const { strikes, violations } = await tried(row.fault, number)
  const seconds = (performance.now() - began) / 1_000
  row.done++
  row.strikes += strikes
  row.seconds += seconds
  if (violations.length > 0) {
    row.broken.push(`round ${number}: ${violations.slice(0, 5).join("; ")}`)
    appendFileSync(`${file}.log`, `${row.fault.name}, round ${number}:\n  ${violations.join("\n  ")}\n`)
  }
  const said = violations.length === 0 ? "sound" : "BROKEN"
  console.log(`${row.fault.name}, round ${number}: ${said}, ${strikes} strikes, ${seconds.toFixed(1)} s`)
  for (const violation of violations.slice(0, 5)) console.log(`    ${violation}`)
  writeFileSync(file, table())
}

/** Round after round of every fault in turn, so that a shard that is out of time has tried all of them. */
function* inTurn(): Generator<readonly [row: Row, number: number]> {
  for (let turn = 0; rows.some(({ rounds }) => turn < rounds.length); turn++)
    for (const row of rows) {
      const number = row.rounds[turn]
      if (number !== undefined && row.lacks.length === 0) yield [row, number]
    }
}

mkdirSync(values.folder, { recursive: true })
writeFileSync(file, table())
const began = performance.now()
const work = inTurn()
const lane = async (): Promise<void> => {
  for (const [row, number] of work) {
    if (performance.now() > late) return
    await attempt(row, number)
  }
}
await Promise.all(Array.from({ length: Number(values.lanes) }, lane))
console.log(table())
console.log(`${((performance.now() - began) / 1_000).toFixed(0)} s`)
process.exit(rows.some(({ broken }) => broken.length > 0) ? 1 : 0)
