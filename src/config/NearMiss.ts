/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each counted as 1. */
export const distance = (a: string, b: string): number => {
  let before: Array<number> = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, before[j - 2]! + 1)
      row.push(least)
    }
    before = above
    above = row
  }
  return above[b.length]!
}

const LONGEST = 100

const plain = (word: string): string => word.replace(/[_\-\s]/g, "").toLowerCase()

/**
 * The word among `known` that `given` was probably meant to be: the same but for case, `_` and `-`, or at
 * most a third of its letters (1 to 3) away. `undefined` when none is close.
 */
export const nearest = (given: string, known: ReadonlyArray<string>): string | undefined => {
  if (given.length === 0 || given.length > LONGEST) return undefined
  const bare = plain(given)
  const close = known
    .filter((word) => word !== given && word.length <= LONGEST)
    .map((word) => ({ word, away: distance(bare, plain(word)), limit: limit(bare, plain(word)) }))
    .filter(({ away, limit }) => away <= limit)
    .map((candidate) => ({
      ...candidate,
      exact: distance(given, candidate.word),
      longer: Math.abs(given.length - candidate.word.length)
    }))
    .sort((a, b) => a.away - b.away || a.exact - b.exact || a.longer - b.longer)
  return close[0]?.word
}

/** A third of the letters, from 1 to 3, and never all of them. */
const limit = (a: string, b: string): number => {
  const letters = Math.max(a.length, b.length)
  return Math.min(3, letters - 1, Math.max(1, Math.floor(letters / 3)))
}

/** Known words that are listed when none is close; a longer list is no help. */
const LIST_LIMIT = 240

/** What to do about a word that is not known: the likely one, else the known ones when they are few. */
export const remedyFor = (given: string, known: ReadonlyArray<string>, noun: string): string => {
  const likely = nearest(given, known)
  if (likely !== undefined) return didYouMean(likely)
  const list = known.join(", ")
  if (known.length === 0) return `there are no ${noun}`
  return list.length <= LIST_LIMIT ? `known ${noun}: ${list}` : ""
}

export const didYouMean = (word: string): string => `did you mean \`${word}\`?`
