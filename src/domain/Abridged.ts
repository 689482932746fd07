/** More of a text that a caller gave would drown the sentence that it stands in. */
const MOST = 200

/**
 * A text from outside as it stands in a sentence: in at most `most` UTF-16 units. What is longer ends in `…`, before
 * which no character is cut in two.
 */
export const abridged = (text: string, most = MOST): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, "")}…`

/** The same in double quotes, in which JSON's escapes show what cannot be seen. */
export const quoted = (text: string, most = MOST): string => JSON.stringify(abridged(text, most))
