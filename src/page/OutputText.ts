/** The most of an output that is held: its end. */
export const MOST_CHARACTERS = 512 * 1_024
/** The most that is held while somebody reads back in it: its beginning stays where it is read. */
export const MOST_READ_BACK = 4 * MOST_CHARACTERS

/** What is held of an output. */
export interface Output {
  readonly text: string
  /** Something before what is held was left out. */
  readonly cut: boolean
  /** All that there was when the attempt was over has come. */
  readonly ended: boolean
  /** It was looked at: that it is empty is known. */
  readonly known: boolean
  readonly error: string | undefined
  /** Why there is no such log any more, where there is none. */
  readonly gone?: string | undefined
}

/** Nothing, so far. */
export const NONE: Output = { text: "", cut: false, ended: false, known: false, error: undefined }

/** Adds a piece; of more than is held the beginning goes, a whole line at a time. */
export const grown = (output: Output, piece: string, most = MOST_CHARACTERS): Output => {
  const text = output.text + piece
  if (text.length <= most) return { ...output, text }
  const from = text.indexOf("\n", text.length - most)
  return { ...output, text: text.slice(from < 0 ? text.length - most : from + 1), cut: true }
}

/** Why an attempt has no log, as the server told it, and what to do where it was lost. */
export const goneWords = (message: string): string => {
  const why = message.replace(/^attempt \S+ has no \S+: /, "")
  const isLost = !why.startsWith("it ended before")
  return `${why.charAt(0).toUpperCase()}${why.slice(1)}.${
    isLost
      ? " Its files were pruned or moved away; what its record says stays. Replay runs the same bundle again."
      : ""
  }`
}
