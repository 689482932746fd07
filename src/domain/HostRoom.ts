import { Data } from "effect"

/** Something could not be done as the host had no room for it just now; `code` is the system's word. */
export class NoRoom extends Data.TaggedError("NoRoom")<{ readonly what: string; readonly code: string }> {}

/** What the kernel says when it has no descriptor, process or memory left just now. It passes. */
const NO_ROOM: ReadonlyArray<string> = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"]

/** Whether a system's word for a failure (`EMFILE`, ...) means that the host has no room just now. */
export const isNoRoom = (code: string): boolean => NO_ROOM.includes(code)

/** What mends a lack of room, for a message. */
export const ROOM_REMEDY =
  "raise the limits of the service on open files (LimitNOFILE=, ulimit -n), processes and memory, or run fewer attempts at once (dispatch.concurrency)"

/** What mends a failure with this word of the system: a lack of room, else what is told otherwise. */
export const roomRemedyOr = (code: string, otherwise: string): string =>
  isNoRoom(code) ? ROOM_REMEDY : otherwise

/** A lack of room as operators are told of it: what could not be done, the system's word, what mends it. */
export const saying = ({ code, what }: Pick<NoRoom, "code" | "what">): string =>
  `${what} (${code}): the host has no room for it now; ${ROOM_REMEDY}`
