/** Wrong tokens of one address: how many of late, and since when. */
interface Guesser {
  readonly wrong: number
  readonly since: number
}

export type Guessers = ReadonlyMap<string, Guesser>

/** So many wrong tokens in a window are told to be wrong: people mistype. */
const FREE = 10
const WINDOW_MS = 60_000
/** Addresses that are remembered; the longest known go first. */
const MOST_ADDRESSES = 10_000

/** What becomes of a wrong token. */
export interface Guess {
  readonly guessers: Guessers
  /** How long its address has to wait until it is told again whether a token is wrong, in ms; 0: it is told now. */
  readonly waitMs: number
}

/**
 * Remembers a wrong token of an address. Nobody is ever banned: only wrong tokens come by here, a right one passes
 * whatever else its address sends.
 */
export const wrongToken = (guessers: Guessers, address: string, now: number): Guess => {
  const found = guessers.get(address)
  const before = found === undefined || now - found.since >= WINDOW_MS ? { wrong: 0, since: now } : found
  const after = { ...before, wrong: before.wrong + 1 }
  const next = new Map(guessers)
  next.delete(address)
  next.set(address, after)
  for (const oldest of next.keys()) {
    if (next.size <= MOST_ADDRESSES) break
    next.delete(oldest)
  }
  return { guessers: next, waitMs: after.wrong > FREE ? after.since + WINDOW_MS - now : 0 }
}
