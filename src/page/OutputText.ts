/** The most of an output that is held: its end. */
const MOST_CHARACTERS = 512 * 1_024

/** What is held of an output. */
export interface Output {
  readonly text: string
  /** Something before what is held was left out. */
  readonly cut: boolean
  /** All that there was when the attempt was over has come. */
  readonly ended: boolean
  readonly error: string | undefined
}

/** Nothing, so far. */
export const NONE: Output = { text: "", cut: false, ended: false, error: undefined }

/** Adds a piece; of more than is held the beginning goes, a whole line at a time. */
export const grown = (output: Output, piece: string): Output => {
  const text = output.text + piece
  if (text.length <= MOST_CHARACTERS) return { ...output, text }
  const from = text.indexOf("\n", text.length - MOST_CHARACTERS)
  return { ...output, text: text.slice(from < 0 ? text.length - MOST_CHARACTERS : from + 1), cut: true }
}
