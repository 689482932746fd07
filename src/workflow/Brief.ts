/** A text as one line of at most `most` characters, with a mark where it was cut. */
export const brief = (text: string, most: number): string => {
  const line = text
    .slice(0, 4 * most)
    .replace(/\s+/g, " ")
    .trim()
  return line.length > most ? `${line.slice(0, most - 1).toWellFormed()}…` : line
}
