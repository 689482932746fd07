import { readPlainText } from "../config/PlainFile.ts"

/** Of a log; a larger one is not read. */
const MOST_BYTES = 16 * 1024 * 1024

/** A line of a log that git keeps of a name: what it became, when, and by what. */
export interface Moved {
  readonly sha: string
  readonly seconds: number
  readonly what: string
}

/**
 * gitformat-reflog, oldest first: `<old> <new> <name> <<mail>> <seconds> <zone>` TAB `<what>`. A repository may keep no
 * such logs: then there is none.
 */
export const movesIn = (log: string): ReadonlyArray<Moved> => {
  let text: string
  try {
    text = readPlainText(log, MOST_BYTES)
  } catch {
    return []
  }
  return text.split("\n").flatMap((line) => {
    const found = /^[0-9a-f]+ ([0-9a-f]{40,64}) [^\t]*?(\d+) [+-]\d{4}(?:\t(.*))?$/.exec(line)
    const [, sha, seconds, what = ""] = found ?? []
    return sha === undefined ? [] : [{ sha, seconds: Number(seconds), what }]
  })
}

/** What HEAD became by a commit, a merge or the like, by its log: that it was moved to what there was tells nothing. */
export const madeBy = (log: string): ReadonlyArray<string> =>
  movesIn(log)
    .filter(({ what }) => !/^(checkout|reset): moving /.test(what))
    .map(({ sha }) => sha)
