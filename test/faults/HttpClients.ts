import { Schema } from "effect"
import { Reader } from "../http/sse.ts"
import { wrongIn } from "./Answers.ts"
import { pick } from "./Random.ts"
import type { Scene } from "./Scene.ts"

const Queued = Schema.Struct({ task_id: Schema.String })
const Canceled = Schema.Struct({ task_id: Schema.String, status: Schema.String })
const Events = Schema.Struct({
  events: Schema.Array(
    Schema.Struct({ id: Schema.Int, event_type: Schema.String, created_at: Schema.String })
  )
})

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Clients of the LAN API who outlive its server: what they were told they rely on. */
export class HttpClients {
  readonly wrong: Array<string> = []
  /** Tasks whose cancel was acknowledged. */
  readonly canceled = new Set<string>()
  /** Ids of the events that the stream told, in the order in which they came. */
  readonly seen: Array<number> = []
  private readonly queued: Array<string> = []

  constructor(
    private readonly scene: Scene,
    private readonly random: () => number
  ) {}

  get acknowledged(): number {
    return this.queued.length
  }

  /** The answer to a request; undefined when the server was gone before it had told all of it. */
  async ask(url: string, path: string, body: object): Promise<Answer | undefined> {
    const said = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => undefined)
    if (said === undefined) return undefined
    const told = { code: 0, signal: null, stdout: said.text, stderr: said.text }
    this.wrong.push(...wrongIn([`POST ${path}`], told, false))
    return { status: said.status, body: JSON.parse(said.text) }
  }

  /** Queues, and cancels now and then what was queued, until the server is gone. */
  async produce(url: string): Promise<void> {
    for (;;) {
      const cancels = this.queued.length > 0 && this.random() < 0.2
      const told = cancels ? await this.cancel(url) : await this.queue(url)
      if (told === undefined) return
      if (told.status >= 500 && told.status !== 503)
        this.wrong.push(`a client was answered ${told.status}: ${JSON.stringify(told.body)}`)
    }
  }

  private async queue(url: string): Promise<Answer | undefined> {
    const told =
      this.random() < 0.5
        ? await this.ask(url, "/api/tasks/queue", { message: "look at it" })
        : await this.ask(url, "/api/tasks", { kind: "note", source: "faults", payload: {} })
    if (told?.status === 201 && Schema.is(Queued)(told.body)) {
      this.queued.push(told.body.task_id)
      this.scene.recorder.record([{ told: "queued", taskId: told.body.task_id }])
    }
    return told
  }

  private async cancel(url: string): Promise<Answer | undefined> {
    const id = pick(this.random, this.queued)
    const told = await this.ask(url, `/api/tasks/${id}/cancel`, {})
    if (told?.status === 200 && Schema.is(Canceled)(told.body) && told.body.status === "operator_canceled")
      this.canceled.add(id)
    return told
  }

  /** Follows the stream from where it was left, until the server is gone or `last` has come. */
  async follow(url: string, last = Number.POSITIVE_INFINITY): Promise<void> {
    const from = this.seen.at(-1) ?? 0
    try {
      const reader = new Reader(
        await fetch(`${url}/api/stream`, { headers: { "last-event-id": String(from) } })
      )
      let first = true
      while ((this.seen.at(-1) ?? 0) < last) {
        const message = await reader.next()
        if (message === undefined) return
        if (first && message.event !== "dashboard")
          this.wrong.push(`the stream began with ${message.event}, not with the dashboard`)
        first = false
        if (message.event === "events") this.told(message.data)
      }
      await reader.close()
    } catch (error) {
      // A server that dies cuts the connection; whoever is left hears the rest from the next one.
      if (error instanceof SyntaxError) this.wrong.push(`the stream told what is no JSON: ${error.message}`)
    }
  }

  private told(data: unknown): void {
    const { events } = Schema.decodeUnknownSync(Events)(data)
    for (const { created_at, event_type, id } of events) {
      if (id <= (this.seen.at(-1) ?? 0)) this.wrong.push(`event ${id} came after event ${this.seen.at(-1)}`)
      this.seen.push(id)
      this.scene.recorder.record([{ told: "event", id, eventType: event_type, createdAt: created_at }])
    }
  }
}
