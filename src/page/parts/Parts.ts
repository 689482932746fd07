/** The most places that are marked; what is looked for is then too short. */
const MOST_MARKS = 2_000

/** A text cut at what is looked for, without regard to case: every second part is a find. */
export const partsOf = (text: string, wanted: string): ReadonlyArray<string> => {
  if (wanted === "") return [text]
  const low = text.toLowerCase()
  const word = wanted.toLowerCase()
  const parts: Array<string> = []
  let from = 0
  // Where lower case has another length the places would be wrong: then the text is searched as it is.
  const searched = low.length === text.length ? low : text
  for (
    let at = searched.indexOf(word);
    at >= 0 && parts.length < 2 * MOST_MARKS;
    at = searched.indexOf(word, from)
  ) {
    parts.push(text.slice(from, at), text.slice(at, at + word.length))
    from = at + word.length
  }
  parts.push(text.slice(from))
  return parts
}
