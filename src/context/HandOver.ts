/** Stands for the artifact root in the hashed prompt, which knows no absolute place. */
export const ARTIFACT_ROOT = "$ARTIFACT_ROOT"

/** Stands for the n-th of the configuration's `skillDirs`, from 0. */
export const skillDirPlace = (index: number): string => `$SKILL_DIR_${index}`

const LONGEST_NAME = 32

/** Characters that each place is counted with when a prompt is measured: roots longer than this are rare. */
const PLACE_CHARS = 100

// The look-behind keeps a payload of a million `$` from being tried a million times a million.
const PLACES = /(?<!\$)(\$+)(?:ARTIFACT_ROOT|SKILL_DIR_(\d+))/g
const LITERALS = /(?<!\$)\$+(?=ARTIFACT_ROOT|SKILL_DIR_\d)/g

/**
 * Text that is no configuration (payloads, summaries, notes) as it stands in a hashed prompt: where it spells
 * a place itself, one more `$` goes in front, which `handOver` takes away again.
 */
export const literally = (text: string): string => text.replace(LITERALS, (dollars) => `$${dollars}`)

/**
 * The prompt as the adapter gets it: `$ARTIFACT_ROOT` is the root's absolute path, `$SKILL_DIR_<n>` that of a
 * skill folder; a place written with more `$` is text that only looked like one, and loses one of them. A
 * skill folder that is not given stays as it stands.
 */
export const handOver = (prompt: string, root: string, skillDirs: ReadonlyArray<string> = []): string =>
  prompt.replace(PLACES, (found, dollars: string, index: string | undefined) => {
    if (dollars.length > 1) return found.slice(1)
    return index === undefined ? root : (skillDirs[Number(index)] ?? found)
  })

/** Characters that a text of a hashed prompt takes up, each place counted with room for a real path. */
export const sizeOf = (text: string): number => text.length + placesIn(text) * PLACE_CHARS

/** A text that was cut, without a last `$...` whose meaning the cut may have changed. */
export const withoutSplitPlace = (text: string): string => {
  let end = text.length
  while (text.length - end < LONGEST_NAME && /[A-Z_0-9]/.test(text.charAt(end - 1))) end--
  if (text.charAt(end - 1) !== "$") return text
  while (text.charAt(end - 1) === "$") end--
  return text.slice(0, end)
}

const placesIn = (text: string): number =>
  [...text.matchAll(PLACES)].filter(([, dollars]) => dollars === "$").length
