import { Data, Either } from "effect"
import { firstOf } from "../domain/Abridged.ts"
import { counted } from "../domain/Figure.ts"
import { sizeOf, withoutSplitPlace } from "./HandOver.ts"

/** Even with all that may be shortened gone to its mark, the prompt is too long. */
export class NoRoom extends Data.TaggedError("NoRoom")<{ readonly needed: number; readonly most: number }> {}

/** A part of the prompt that may be shortened, with what its mark calls it. */
export interface Elastic {
  readonly name: string
  readonly text: string
  /** Whole lines only: what is left out begins at a line. */
  readonly byLine?: boolean
}

/**
 * Gives each part the text that it may have, so that together with `fixed` characters at most `most` are used.
 * Parts are in the order in which they are kept: the last is shortened first, down to its mark, then the one
 * before it. A part that fits stays as it is; behind one that was cut there are only marks.
 */
export const allot = (
  fixed: number,
  most: number,
  parts: ReadonlyArray<Elastic>
): Either.Either<ReadonlyArray<string>, NoRoom> => {
  const least = parts.map((part) => Math.min(sizeOf(part.text), longestMark(part).length))
  const needed = fixed + least.reduce((sum, one) => sum + one, 0)
  if (needed > most) return Either.left(new NoRoom({ needed, most }))
  let spare = most - needed
  return Either.right(
    parts.map((part, index) => {
      const room = (least[index] ?? 0) + spare
      const text = shortened(part, room)
      spare = text === part.text ? room - sizeOf(text) : 0
      return text
    })
  )
}

/** The part's text in at most `room` characters; what is left out is told by a mark on a line of its own. */
export const shortened = (part: Elastic, room: number): string => {
  const size = sizeOf(part.text)
  if (size <= room) return part.text
  const places = size - part.text.length
  const kept = withoutSplitPlace(firstOf(part.text, room - places - longestMark(part).length - 1))
  const shown = part.byLine === true ? kept.slice(0, kept.lastIndexOf("\n") + 1).trimEnd() : kept
  return shown === "" ? mark(part, 0) : `${shown}\n${mark(part, shown.length)}`
}

const mark = (part: Elastic, shown: number): string =>
  `[${part.name} shortened: ${counted(shown)} of ${counted(part.text.length)} characters shown]`

const longestMark = (part: Elastic): string => mark(part, part.text.length)
