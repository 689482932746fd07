import { describe, expect } from "bun:test"
import { needs } from "../support/needs.ts"
import { countCalls, type KillPoint, kill, row, syscalls, type Victim } from "./KillPoint.ts"

const LIMIT_MS = 90_000

// How often anything is printed or a thread is woken differs from run to run.
const sure = syscalls.filter((syscall) => syscall !== "write")

/** `count` points spread over the calls that a command makes; `npm run faults` kills every command that writes. */
const sample = async (victim: Victim, count: number): Promise<ReadonlyArray<KillPoint>> => {
  const { main } = await countCalls(victim)
  const all = sure.flatMap((syscall) =>
    Array.from({ length: main[syscall] }, (_, index) => ({ victim, syscall, at: index + 1 }))
  )
  return Array.from(
    { length: count },
    (_, index) => all[Math.floor(((index + 0.5) * all.length) / count)]
  ).filter((point) => point !== undefined)
}

describe("a SIGKILL in the middle of a write", () => {
  const test = needs("strace")
  const samples: ReadonlyArray<readonly [Victim, number]> = [
    ["first intake", 2],
    ["intake", 1],
    ["run-once", 6]
  ]

  for (const [victim, count] of samples)
    test(
      `of ${victim} loses nothing that was acknowledged and runs nothing twice at once`,
      async () => {
        const points = await sample(victim, count)
        expect(points).toHaveLength(count)
        for (const point of points) {
          const result = await kill(point)
          expect(result.violations, row(result)).toEqual([])
          expect(result.killed, row(result)).toBe(true)
        }
      },
      LIMIT_MS
    )
})
