import type { RunEvent } from "./Wire.ts"

/** The most events that are held: the newest. */
export const MOST_EVENTS = 5_000

/** The most that are held where somebody looks further back: as many as stay quick to filter. */
export const MOST_BACK = 50_000

/** The events right before the oldest that are held, as a query of the history; none where there is nothing before. */
export const before = (held: ReadonlyArray<RunEvent>, count: number): string | undefined => {
  const oldest = held[0]?.id ?? 0
  return oldest <= 1
    ? undefined
    : `since=${Math.max(0, oldest - 1 - count)}&limit=${Math.min(count, oldest - 1)}`
}

/**
 * Adds to a history that ascends by id what it does not hold, without a repeat; what is too much goes from the old
 * end.
 */
export const joined = (
  held: ReadonlyArray<RunEvent>,
  more: ReadonlyArray<RunEvent>,
  most = MOST_EVENTS
): ReadonlyArray<RunEvent> => {
  const last = held.at(-1)?.id ?? -1
  const known = more.every(({ id }) => id > last) ? undefined : new Set(held.map(({ id }) => id))
  const fresh = known === undefined ? more : more.filter(({ id }) => !known.has(id))
  if (fresh.length === 0) return held
  const ordered = [...fresh].sort((a, b) => a.id - b.id)
  const all = known === undefined ? [...held, ...ordered] : [...held, ...ordered].sort((a, b) => a.id - b.id)
  return all.length > most ? all.slice(all.length - most) : all
}
