import { Option } from "effect"
import { isTexts } from "../domain/Json.ts"

/** The cursor of a page after a place, as its list names it: one word that only its list can read. */
export const cursorOf = (place: ReadonlyArray<string>): string =>
  Buffer.from(JSON.stringify(place)).toString("base64url")

/** The place in a cursor; none for text that no list gave. */
export const readCursor = (text: string): Option.Option<ReadonlyArray<string>> => {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"))
    return isTexts(place) && cursorOf(place) === text ? Option.some(place) : Option.none()
  } catch {
    return Option.none()
  }
}
