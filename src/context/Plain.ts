/** Text on one line: runs of control characters and line breaks become one space. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim()

/** At most `most` characters of a text, with `…` where it was cut; never half a surrogate pair. */
export const clip = (text: string, most: number): string =>
  text.length <= most ? text : `${firstOf(text, most - 1)}…`

/** The first `most` characters of a text, one less where a surrogate pair would be split. */
export const firstOf = (text: string, most: number): string => {
  const kept = text.slice(0, Math.max(0, most))
  return kept.length < text.length && /[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept
}

/** The strings in a value that should be a list of strings; anything else in it is left out. */
export const stringsIn = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : []
