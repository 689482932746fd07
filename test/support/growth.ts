import { expect } from "bun:test"

/** What is too little to be compared, in microseconds: so much is noise. */
const LEAST = 10_000

/** Between what is linear, with a collector that has more to do, and what is quadratic. */
const MOST = 100

const cost = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { system, user } = process.cpuUsage(before)
  return Math.max(LEAST, user + system)
}

/**
 * Fails where `work` grows faster than what it is given, of which it takes the share it is told. Sixteen times as much
 * costs what is linear 16 times the processor's time, what is quadratic 256 times. Time of the processor: what other
 * processes do meanwhile does not count, and no machine is too slow.
 */
export const growsLinearly = (work: (share: number) => void): void => {
  const sixteenth = Math.min(...[1, 2, 3].map(() => cost(() => work(1 / 16))))
  expect(cost(() => work(1)) / sixteenth).toBeLessThan(MOST)
}
