/** More of a text that a caller gave would drown the sentence that it stands in. */
const MOST = 200

/**
 * A text as it stands in a sentence or a prompt: in at most `most` UTF-16 units. What is longer ends in `…`, before
 * which no character is cut in two.
 */
export const abridged = (text: string, most = MOST): string =>
  text.length <= most ? text : `${firstOf(text, most - 1)}…`

/** The same in double quotes, in which JSON's escapes show what cannot be seen. */
export const quoted = (text: string, most = MOST): string => JSON.stringify(abridged(text, most))

/** The first `most` characters of a text, one less where a surrogate pair would be split. */
export const firstOf = (text: string, most: number): string => {
  const kept = text.slice(0, Math.max(0, most))
  return kept.length < text.length && /[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept
}
