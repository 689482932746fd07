/** Text of printable ASCII alone needs no closer look. */
const PLAIN = /^[\x20-\x7e]*$/

/** What a terminal would obey, or what would hide or reorder the text beside it. */
const UNSAFE =
  /[\p{Cc}\u2028\u2029\u200b\u200c\u200e\u200f\u061c\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}\u{fff9}-\u{fffb}]|(?<!\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d|\p{Cs}/gu

const NAMED: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\u001b", "\\e"]
])

const escapeOf = (letter: string): string => {
  const code = letter.codePointAt(0)!
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd"
  const named = NAMED.get(letter)
  if (named !== undefined) return named
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`
}

/**
 * The text with everything made visible that a terminal would obey or that would hide or reorder letters:
 * control characters and escapes, bidirectional and zero-width marks, line separators. One line comes out.
 */
export const visible = (text: string): string =>
  PLAIN.test(text) ? text : text.toWellFormed().replace(UNSAFE, escapeOf)

const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Regional_Indicator}{2}|[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}])/u

const MARK = /^\p{M}/u

const clusters = (text: string): ReadonlyArray<string> =>
  PLAIN.test(text)
    ? [...text]
    : [...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text)].map((one) => one.segment)

const clusterWidth = (cluster: string): number => {
  if (PLAIN.test(cluster)) return cluster.length
  if (MARK.test(cluster)) return 0
  return WIDE.test(cluster) || cluster.includes("\ufe0f") ? 2 : 1
}

/** The columns that a visible text takes: 2 for wide letters and emoji, 0 for combining marks. */
export const width = (text: string): number =>
  PLAIN.test(text) ? text.length : clusters(text).reduce((sum, one) => sum + clusterWidth(one), 0)

/** The text in at most `columns` columns; the end of a longer one becomes an ellipsis. */
export const clip = (text: string, columns: number): string => {
  if (text.length <= columns && PLAIN.test(text)) return text
  if (width(text) <= columns) return text
  const { head } = take(text, columns - 1)
  return columns < 1 ? "" : `${head}…`
}

/** The text filled with blanks to `columns`; a longer one stays. */
export const pad = (text: string, columns: number, align?: "right"): string => {
  const blanks = " ".repeat(Math.max(0, columns - width(text)))
  return align === "right" ? blanks + text : text + blanks
}

/** The text in lines of at most `columns`, broken at blanks where that can be; never no line. */
export const wrap = (text: string, columns: number): ReadonlyArray<string> => {
  if (columns < 2 || width(text) <= columns) return [text]
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`
    if (width(longer) <= columns) {
      line = longer
      continue
    }
    if (line !== "") lines.push(line)
    let rest = word
    while (width(rest) > columns) {
      const cut = take(rest, columns)
      lines.push(cut.head)
      rest = cut.tail
    }
    line = rest
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line]
}

/** As many whole letters as fit; at least one, so that a loop over the rest ends. */
const take = (text: string, columns: number): { readonly head: string; readonly tail: string } => {
  let head = ""
  let used = 0
  for (const cluster of clusters(text)) {
    used += clusterWidth(cluster)
    if (used > columns && head !== "") break
    if (used > columns && columns < 1) break
    head += cluster
  }
  return { head, tail: text.slice(head.length) }
}
