import { Option } from "effect"

/** A stretch of the prompt so long in a summary was copied, not written. */
export const ECHO_CHARACTERS = 80

/** Any stretch of `ECHO_CHARACTERS` covers at least one whole block of this length at a multiple of it. */
const BLOCK = ECHO_CHARACTERS / 2

/** A summary is looked at so far. */
const MOST_SUMMARY = 200_000

/**
 * The first stretch of 80 or more characters that stands word for word in both texts. Blocks of the prompt
 * are looked up rather than the prompt searched, so that long prompts cost no more than reading them.
 */
export const echoOf = (summary: string, prompt: string): Option.Option<string> => {
  if (summary.length < ECHO_CHARACTERS || prompt.length < ECHO_CHARACTERS) return Option.none()
  const text = summary.slice(0, MOST_SUMMARY)
  const blocks = blocksOf(prompt)
  for (let at = 0; at + BLOCK <= text.length; at++) {
    for (const place of blocks.get(text.slice(at, at + BLOCK)) ?? []) {
      const before = sameBefore(text, at, prompt, place)
      const length = before + BLOCK + sameAfter(text, at + BLOCK, prompt, place + BLOCK, BLOCK - before)
      if (length >= ECHO_CHARACTERS) return Option.some(text.slice(at - before, at - before + length))
    }
  }
  return Option.none()
}

/** A block that repeats itself over and over is no sentence; of one that does, so many places are kept. */
const MOST_PLACES = 64

const blocksOf = (prompt: string): ReadonlyMap<string, ReadonlyArray<number>> => {
  const blocks = new Map<string, Array<number>>()
  for (let at = 0; at + BLOCK <= prompt.length; at += BLOCK) {
    const block = prompt.slice(at, at + BLOCK)
    const places = blocks.get(block)
    if (places === undefined) blocks.set(block, [at])
    else if (places.length < MOST_PLACES) places.push(at)
  }
  return blocks
}

const sameBefore = (one: string, i: number, other: string, j: number): number => {
  let same = 0
  while (same < BLOCK && same < i && same < j && one[i - same - 1] === other[j - same - 1]) same++
  return same
}

const sameAfter = (one: string, i: number, other: string, j: number, most: number): number => {
  let same = 0
  while (same < most && i + same < one.length && j + same < other.length && one[i + same] === other[j + same])
    same++
  return same
}
