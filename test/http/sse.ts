/** A message of a stream of server-sent events, as a client reads it. */
export interface Message {
  readonly id: number | undefined
  readonly event: string
  readonly data: unknown
  readonly at: number
}

const field = (block: string, name: string): string | undefined =>
  block
    .split("\n")
    .find((line) => line.startsWith(`${name}: `))
    ?.slice(name.length + 2)

/** Reads a stream message by message; comments are counted. */
export class Reader {
  readonly seen: Array<Message> = []
  comments = 0
  private rest = ""
  private readonly reader

  constructor(response: Response) {
    if (response.body === null) throw new Error("the response has no body")
    this.reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  }

  /** The next message; undefined when the stream has ended. */
  async next(): Promise<Message | undefined> {
    for (;;) {
      const end = this.rest.indexOf("\n\n")
      if (end >= 0) {
        const block = this.rest.slice(0, end)
        this.rest = this.rest.slice(end + 2)
        if (block.startsWith(":")) {
          this.comments++
          continue
        }
        const id = field(block, "id")
        const message = {
          id: id === undefined ? undefined : Number(id),
          event: field(block, "event") ?? "",
          data: JSON.parse(field(block, "data") ?? "null"),
          at: performance.now()
        }
        this.seen.push(message)
        return message
      }
      const { done, value } = await this.reader.read()
      if (done) return undefined
      this.rest += value
    }
  }

  /** Reads on until a message is so. */
  async until(isSo: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const message = await this.next()
      if (message === undefined)
        throw new Error(`the stream ended after ${JSON.stringify(this.seen.slice(-3))}`)
      if (isSo(message)) return message
    }
  }

  /** The ids of all events that came. */
  ids(): ReadonlyArray<number> {
    return this.seen.flatMap(({ data, event }) =>
      event === "events" && typeof data === "object" && data !== null && "events" in data
        ? (data.events as ReadonlyArray<{ readonly id: number }>).map(({ id }) => id)
        : []
    )
  }

  async close(): Promise<void> {
    await this.reader.cancel()
  }
}
