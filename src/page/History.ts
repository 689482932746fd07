import type { RunEvent } from "./Wire.ts"

/** The most events that are held: the newest. */
export const MOST_EVENTS = 5_000

/**
 * Adds to a history that ascends by id what it does not hold, without a repeat; what is too much goes from the old
 * end.
 */
export const joined = (
  held: ReadonlyArray<RunEvent>,
  more: ReadonlyArray<RunEvent>
): ReadonlyArray<RunEvent> => {
  const last = held.at(-1)?.id ?? -1
  const known = more.every(({ id }) => id > last) ? undefined : new Set(held.map(({ id }) => id))
  const fresh = known === undefined ? more : more.filter(({ id }) => !known.has(id))
  if (fresh.length === 0) return held
  const ordered = [...fresh].sort((a, b) => a.id - b.id)
  const all = known === undefined ? [...held, ...ordered] : [...held, ...ordered].sort((a, b) => a.id - b.id)
  return all.length > MOST_EVENTS ? all.slice(all.length - MOST_EVENTS) : all
}
