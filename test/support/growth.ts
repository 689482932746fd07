import { expect } from "bun:test"

/** What is too little to be compared, in microseconds: so much is noise. */
const LEAST = 5_000

/** Between what is linear and what is quadratic. */
const MOST = 24

const cost = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { system, user } = process.cpuUsage(before)
  return Math.max(LEAST, user + system)
}

/**
 * Fails where `work` grows faster than what it is given, of which it takes the share it is told. Eight times as much
 * costs what is linear 8 times the processor's time, what is quadratic 64 times. Time of the processor: what other
 * processes do meanwhile does not count, and no machine is too slow. Of each share the cheapest of three counts, for
 * the others pay for the compiler and the collector; what is cheap enough at once is not measured again.
 */
export const growsLinearly = (work: (share: number) => void): void => {
  const eighth = Math.min(...[1, 2, 3].map(() => cost(() => work(1 / 8))))
  let whole = cost(() => work(1))
  for (let more = 2; more > 0 && whole > MOST * eighth; more--) whole = Math.min(whole, cost(() => work(1)))
  expect(whole / eighth).toBeLessThan(MOST)
}
