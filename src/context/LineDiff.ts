import { abridged, firstOf } from "../domain/Abridged.ts"

/** Lines that stand in one text only, and where: numbers count from 1. */
export interface Hunk {
  readonly beforeLine: number
  readonly afterLine: number
  readonly removed: ReadonlyArray<string>
  readonly added: ReadonlyArray<string>
}

export interface LineDiff {
  /** As far as they are shown: long lines shortened, and no more than `MOST_SHOWN_LINES`. */
  readonly hunks: ReadonlyArray<Hunk>
  /** How many lines of the difference are not shown. */
  readonly leftOut: number
}

const MOST_SHOWN_LINES = 400

/**
 * So many lines removed and added are told apart from those between them; texts that differ more show one
 * hunk from the first difference to the last. It bounds the work: 400 steps along both texts.
 */
const MOST_EDITS = 400

/** Which lines differ between two texts. Its work is bounded by the length of the texts, whatever they hold. */
export const lineDiff = (before: string, after: string): LineDiff => {
  const one = before.split("\n")
  const other = after.split("\n")
  const start = sameFrom(one, other)
  const tail = sameFromEnd(one, other, start)
  const edits = editsBetween(
    ...numbered(one.slice(start, -tail || undefined), other.slice(start, -tail || undefined))
  )
  return shown(edits.map((edit) => hunkOf(edit, start, one, other)))
}

const sameFrom = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): number => {
  let at = 0
  while (at < one.length && at < other.length && one[at] === other[at]) at++
  return at
}

const sameFromEnd = (one: ReadonlyArray<string>, other: ReadonlyArray<string>, start: number): number => {
  let tail = 0
  const most = Math.min(one.length, other.length) - start
  while (tail < most && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail++
  return tail
}

/** Lines as numbers, equal ones the same, so that comparing two costs the same whatever their length. */
const numbered = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): [Int32Array, Int32Array] => {
  const numbers = new Map<string, number>()
  const numberOf = (line: string): number => {
    const known = numbers.get(line) ?? numbers.size
    numbers.set(line, known)
    return known
  }
  return [Int32Array.from(one, numberOf), Int32Array.from(other, numberOf)]
}

/** Lines `from` to `to` of the first text stand where `intoFrom` to `intoTo` stand in the other. */
interface Edit {
  readonly from: number
  readonly to: number
  readonly intoFrom: number
  readonly intoTo: number
}

/** The shortest edits (Myers, An O(ND) Difference Algorithm, 1986); one for all where there are too many. */
const editsBetween = (one: Int32Array, other: Int32Array): ReadonlyArray<Edit> => {
  if (one.length === 0 && other.length === 0) return []
  const all = { from: 0, to: one.length, intoFrom: 0, intoTo: other.length }
  if (one.length === 0 || other.length === 0) return [all]
  const rounds = search(one, other)
  return rounds === undefined ? [all] : trace(rounds, one.length, other.length)
}

/** For each number of edits how far each diagonal was reached, from -edits to edits; undefined: too many. */
const search = (one: Int32Array, other: Int32Array): ReadonlyArray<Int32Array> | undefined => {
  const rounds: Array<Int32Array> = []
  for (let edits = 0; edits <= MOST_EDITS; edits++) {
    const last = rounds.at(-1)
    const reached = new Int32Array(2 * edits + 1)
    rounds.push(reached)
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = last === undefined ? 0 : startOf(last, edits, diagonal)
      while (x < one.length && x - diagonal < other.length && one[x] === other[x - diagonal]) x++
      reached[diagonal + edits] = x
      if (x >= one.length && x - diagonal >= other.length) return rounds
    }
  }
  return undefined
}

/** Whether the way to a diagonal is an added line, from the diagonal above, or a removed one, from below. */
const isAdded = (last: Int32Array, edits: number, diagonal: number): boolean =>
  diagonal === -edits || (diagonal !== edits && last[diagonal + edits - 2]! < last[diagonal + edits]!)

const startOf = (last: Int32Array, edits: number, diagonal: number): number =>
  isAdded(last, edits, diagonal) ? last[diagonal + edits]! : last[diagonal + edits - 2]! + 1

/** Walks the rounds back and gathers what is removed and added in one place. */
const trace = (
  rounds: ReadonlyArray<Int32Array>,
  length: number,
  otherLength: number
): ReadonlyArray<Edit> => {
  const found: Array<Edit> = []
  let x = length
  let y = otherLength
  for (let edits = rounds.length - 1; edits > 0; edits--) {
    const last = rounds[edits - 1]!
    const diagonal = x - y
    const added = isAdded(last, edits, diagonal)
    const to = startOf(last, edits, diagonal)
    const from = added ? to : to - 1
    const intoTo = to - diagonal
    const intoFrom = added ? intoTo - 1 : intoTo
    const next = found.at(-1)
    if (next !== undefined && next.from === to && next.intoFrom === intoTo)
      found.splice(-1, 1, { ...next, from, intoFrom })
    else found.push({ from, to, intoFrom, intoTo })
    x = from
    y = intoFrom
  }
  return found.reverse()
}

const hunkOf = (
  { from, intoFrom, intoTo, to }: Edit,
  start: number,
  one: ReadonlyArray<string>,
  other: ReadonlyArray<string>
): Hunk => ({
  beforeLine: start + from + 1,
  afterLine: start + intoFrom + 1,
  removed: one.slice(start + from, start + to),
  added: other.slice(start + intoFrom, start + intoTo)
})

const shown = (hunks: ReadonlyArray<Hunk>): LineDiff => {
  let room = MOST_SHOWN_LINES
  let leftOut = 0
  const kept: Array<Hunk> = []
  for (const { added, removed, ...place } of hunks) {
    // Half of what is left for each side, so that neither hides the other.
    const first = Math.min(removed.length, Math.max(Math.ceil(room / 2), room - added.length))
    const second = Math.min(added.length, room - first)
    room -= first + second
    leftOut += removed.length - first + (added.length - second)
    if (first + second === 0) continue
    kept.push({
      ...place,
      removed: removed.slice(0, first).map((line, at) => around(line, added[at])),
      added: added.slice(0, second).map((line, at) => around(line, removed[at]))
    })
  }
  return { hunks: kept, leftOut }
}

const MOST_OF_A_LINE = 200
const BEFORE_THE_DIFFERENCE = 40

/** A long line as far as it fits, from a little before the place where it leaves its counterpart. */
const around = (line: string, counterpart: string | undefined): string => {
  if (line.length <= MOST_OF_A_LINE) return line
  let same = 0
  while (counterpart !== undefined && same < line.length && line[same] === counterpart[same]) same++
  const start = same - BEFORE_THE_DIFFERENCE
  if (start <= 0) return abridged(line, MOST_OF_A_LINE)
  // Not the second half of a surrogate pair.
  const skipped = firstOf(line, start).length
  return `…${abridged(line.slice(skipped), MOST_OF_A_LINE - 1)}`
}
