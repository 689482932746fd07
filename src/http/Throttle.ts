/** Wrong tokens of one address: how many of late, and when the next guess has its turn. */
interface Guesser {
  readonly wrong: number
  readonly since: number
  readonly turn: number
}

export type Guessers = ReadonlyMap<string, Guesser>

/** So many wrong tokens in a window cost nothing but a 401: people mistype. */
const FREE = 10
const WINDOW_MS = 60_000
/** Then an address's guesses are looked at one by one, so far apart. */
const APART_MS = 100
/** A guess that would have to wait for longer is not looked at. */
const LONGEST_WAIT_MS = 2_000
/** Addresses that are remembered; the longest known go first. */
const MOST_ADDRESSES = 10_000

export interface Turn {
  readonly guessers: Guessers
  /** How long the guess waits before it is looked at; undefined: it is not looked at. */
  readonly waitMs: number | undefined
}

const current = (guessers: Guessers, address: string, now: number): Guesser | undefined => {
  const found = guessers.get(address)
  return found === undefined || now - found.since > WINDOW_MS ? undefined : found
}

/**
 * When a guess of an address may be looked at. Nobody is ever banned: a right token passes in its turn, also while
 * the same address guesses.
 */
export const turnOf = (guessers: Guessers, address: string, now: number): Turn => {
  const found = current(guessers, address, now)
  if (found === undefined || found.wrong < FREE) return { guessers, waitMs: 0 }
  const at = Math.max(now, found.turn)
  if (at - now > LONGEST_WAIT_MS) return { guessers, waitMs: undefined }
  return {
    guessers: new Map(guessers).set(address, { ...found, turn: at + APART_MS }),
    waitMs: at - now + APART_MS
  }
}

/** Remembers a wrong token; `isThrottled` tells whether its address has had more than mistyping explains. */
export const wrongToken = (
  guessers: Guessers,
  address: string,
  now: number
): { readonly guessers: Guessers; readonly isThrottled: boolean } => {
  const before = current(guessers, address, now) ?? { wrong: 0, since: now, turn: 0 }
  const after = { ...before, wrong: before.wrong + 1 }
  const next = new Map(guessers)
  next.delete(address)
  next.set(address, after)
  for (const oldest of next.keys()) {
    if (next.size <= MOST_ADDRESSES) break
    next.delete(oldest)
  }
  return { guessers: next, isThrottled: after.wrong > FREE }
}
