/** Skills that are offered at once. */
const OFFERED = 8

/** The `/word` that is being written where the caret stands: what there is of it. */
export const wordAt = (message: string, caret: number): string | undefined =>
  /(?:^|\s)\/([A-Za-z0-9._-]*)$/.exec(message.slice(0, caret))?.[1]

/** A message with the word at the caret made whole, and where the caret stands then. */
export const completed = (message: string, caret: number, id: string): readonly [string, number] => {
  const written = wordAt(message, caret) ?? ""
  const before = `${message.slice(0, caret - written.length)}${id}`
  const behind = message.slice(caret)
  return /^\s/.test(behind)
    ? [before + behind, before.length + 1]
    : [`${before} ${behind}`, before.length + 1]
}

/** The skills that begin with a word, those that only hold it behind them. */
export const offers = (known: ReadonlyArray<string>, word: string): ReadonlyArray<string> => {
  const low = word.toLowerCase()
  const fitting = known.filter((id) => id.toLowerCase().includes(low) && id !== word)
  const first = fitting.filter((id) => id.toLowerCase().startsWith(low))
  return [...first, ...fitting.filter((id) => !first.includes(id))].slice(0, OFFERED)
}

/** Skills that a message refers to: `/word` at the beginning or after white space. */
export const skillsIn = (message: string): ReadonlyArray<string> => [
  ...new Set(
    [...message.matchAll(/(?:^|\s)\/([A-Za-z0-9][A-Za-z0-9._-]*)(?=$|[\s,.;:!?])/g)].map(
      ([, word]) => word ?? ""
    )
  )
]
