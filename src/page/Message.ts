import { counted } from "./Words.ts"

/** Bytes of a body that the server takes: a message with what stands beside it, and an intent. */
const MOST = { "/api/tasks/queue": 64 * 1_024, "/api/tasks": 1_024 * 1_024 } as const

/** Where a message is sent. */
export type Door = keyof typeof MOST

/** Bytes of a body as it is sent. */
export const bytesOf = (body: unknown): number => new TextEncoder().encode(JSON.stringify(body)).length

/**
 * What is to be said of the size of a body: nothing while there is much room, how much is left where there is little,
 * and by how much it is too long.
 */
export const sizeWords = (door: Door, body: unknown): { readonly words: string; readonly fits: boolean } => {
  const most = MOST[door]
  const bytes = bytesOf(body)
  if (bytes <= most * 0.9) return { words: "", fits: true }
  return bytes <= most
    ? { words: `${counted(bytes)} of ${counted(most)} bytes.`, fits: true }
    : {
        words: `Too long by ${counted(bytes - most)} bytes: the server takes ${counted(most)}, and this is ${counted(bytes)} as it is sent. Shorten it, or put the text into a file and name that.`,
        fits: false
      }
}

/** Characters of a line of a box on a narrow screen: a box is rather a line too high than one too low. */
const LINE = 72

/** Lines of a box that shows a text, two at least. */
export const rowsOf = (text: string, most: number): number =>
  Math.min(
    most,
    Math.max(
      2,
      text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LINE)), 0)
    )
  )
