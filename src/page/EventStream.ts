/** One message of an event stream; a comment is a message without a name. */
export interface Message {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
}

/**
 * Reads the text of an event stream piece by piece, wherever the pieces are cut. `push` answers the messages
 * that are complete. Comments are passed over: that a piece came at all says that somebody speaks.
 */
export const makeReader = () => {
  let rest = ""
  let event = ""
  let id: string | undefined
  let data: Array<string> = []

  const line = (text: string, out: Array<Message>): void => {
    if (text === "") {
      if (data.length > 0) out.push({ event: event === "" ? "message" : event, data: data.join("\n"), id })
      event = ""
      data = []
      return
    }
    if (text.startsWith(":")) return
    const colon = text.indexOf(":")
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? "" : text.slice(text.startsWith(": ", colon) ? colon + 2 : colon + 1)
    if (field === "data") data.push(value)
    else if (field === "event") event = value
    else if (field === "id") id = value
  }

  return {
    push: (piece: string): ReadonlyArray<Message> => {
      const out: Array<Message> = []
      const text = rest + piece
      // A carriage return at the end may be half of a line's end.
      const whole = text.endsWith("\r") ? text.slice(0, -1) : text
      const lines = whole.split(/\r\n|\r|\n/)
      rest = (lines.pop() ?? "") + text.slice(whole.length)
      for (const one of lines) line(one, out)
      return out
    }
  }
}
