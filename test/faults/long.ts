import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { killDispatcher } from "./KillDispatcher.ts"
import { countCalls, type KillPoint, kill, row, syscalls, victims } from "./KillPoint.ts"
import { race } from "./Race.ts"

// The long suite: bun test/faults/long.ts SHARD SHARDS FOLDER. `npm run test:faults` starts the shards.

const MOST_CALLS = 150
const RACES = 100
const DISPATCHER_KILLS = 200

const [shard = 1, shards = 1] = process.argv.slice(2, 4).map(Number)
const folder = process.argv[4] ?? "dist/faults"
const mine = <A>(all: ReadonlyArray<A>) => all.filter((_, index) => index % shards === shard - 1)

const points = async (): Promise<ReadonlyArray<KillPoint>> => {
  const all: Array<KillPoint> = []
  for (const victim of victims) {
    const { most: calls } = await countCalls(victim)
    console.log(`${victim} makes ${syscalls.map((syscall) => `${calls[syscall]} ${syscall}`).join(", ")}`)
    for (const syscall of syscalls)
      for (let at = 1; at <= Math.min(calls[syscall], MOST_CALLS); at++) all.push({ victim, syscall, at })
  }
  return all
}

await mkdir(folder, { recursive: true })
let broken = 0
for (const point of mine(await points())) {
  const result = await kill(
    point,
    join(folder, `broken-${point.victim.replace(" ", "-")}-${point.syscall}-${point.at}`)
  )
  broken += result.violations.length > 0 ? 1 : 0
  console.log(row(result))
}
if (shard === shards) {
  const races = await race(RACES)
  const lost = races.filter((result) => result.violations.length > 0)
  broken += lost.length
  console.log(`two dispatchers started together: ${races.length} times, ${lost.length} broken`)
  for (const result of lost) console.log(`    ${result.said.join(" and ")}: ${result.violations.join("; ")}`)
}
if (shard === 1) {
  const { kills, tasks, violations } = await killDispatcher(
    DISPATCHER_KILLS,
    shards,
    join(folder, "broken-dispatcher")
  )
  broken += violations.length > 0 ? 1 : 0
  console.log(`a resident dispatcher killed ${kills} times: ${tasks} tasks, ${violations.length} violations`)
  for (const violation of violations) console.log(`    ${violation}`)
}
console.log(`shard ${shard} of ${shards}: ${broken} broken`)
process.exitCode = broken === 0 ? 0 : 1
