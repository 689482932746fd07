import { Option } from "effect"

export type ChangeVerb = "created" | "modified" | "updated" | "renamed" | "deleted"

/** An entry of `file_changes`, read as text. */
export interface FileChange {
  readonly verb: Option.Option<ChangeVerb>
  /**
   * What may be its path, longest first: all of the text, and the text before each ` - `, since a path may
   * hold one itself. The last one is the path where none of them exists.
   */
  readonly paths: readonly [string, ...ReadonlyArray<string>]
}

/** So many places are tried at which a remark may begin. */
const MOST_REMARKS = 8

/** Splits an entry into the effects it claims: a rename `old -> new` claims two. */
export const readChange = (entry: string): ReadonlyArray<FileChange> => {
  const [, word, rest = ""] =
    /^\s*(?:(created|modified|updated|renamed|deleted)\s*:)?([\s\S]*)$/i.exec(entry) ?? []
  const verb = Option.filter(Option.fromNullable(word?.toLowerCase()), isVerb)
  const [from, to] = Option.contains(verb, "renamed") ? halves(rest) : []
  return from === undefined || to === undefined
    ? [{ verb, paths: pathsIn(rest) }]
    : [
        { verb: Option.some("deleted"), paths: [unquoted(from)] },
        { verb, paths: pathsIn(to) }
      ]
}

const isVerb = (word: string): word is ChangeVerb =>
  word === "created" || word === "modified" || word === "updated" || word === "renamed" || word === "deleted"

const halves = (text: string): ReadonlyArray<string> => {
  const arrow = / (?:->|=>|→) /.exec(text)
  return arrow === null ? [] : [text.slice(0, arrow.index), text.slice(arrow.index + arrow[0].length)]
}

const pathsIn = (text: string): FileChange["paths"] => {
  const cuts = [...text.matchAll(/ [-–—] /g)].slice(0, MOST_REMARKS).map((dash) => dash.index)
  const shorter = cuts.reverse().map((cut) => unquoted(text.slice(0, cut)))
  return [unquoted(text), ...shorter]
}

/** Models like to put a path into backticks or quotes. */
const unquoted = (text: string): string => {
  const plain = text.trim()
  const first = plain[0]
  return plain.length > 2 && (first === "`" || first === '"' || first === "'") && plain.endsWith(first)
    ? plain.slice(1, -1).trim()
    : plain
}
