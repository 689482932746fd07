import { Schema } from "effect"
import type { Place, RunOptions } from "../support/binary.ts"
import { RunEvent } from "./wire.ts"

type Event = typeof RunEvent.Type

const readEvent = Schema.decodeUnknownSync(Schema.parseJson(RunEvent))

/** The history of a place as `events --follow` prints it, for a test to wait by. */
export class Follower {
  readonly seen: Array<Event> = []
  private rest = ""
  private readonly reader
  private readonly child

  constructor(place: Place) {
    this.child = place.start(["events", "--follow", "--since", "0"])
    this.reader = this.child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  }

  /** Waits for an event that is so, also one that was seen before. */
  async until(isSo: (event: Event) => boolean): Promise<Event> {
    for (let at = 0; ; at++) {
      while (this.seen.length <= at) await this.more()
      const event = this.seen[at]
      if (event !== undefined && isSo(event)) return event
    }
  }

  /** Waits until there are so many events of a type, of a task where one is named; answers the last of them. */
  told(type: string, taskId?: string, count = 1): Promise<Event> {
    let found = 0
    return this.until(
      (event) =>
        event.event_type === type && (taskId === undefined || event.task_id === taskId) && ++found >= count
    )
  }

  private async more(): Promise<void> {
    const { done, value } = await this.reader.read()
    if (done) throw new Error(`the history ended after ${this.seen.map((one) => one.event_type).join(", ")}`)
    const lines = (this.rest + value).split("\n")
    this.rest = lines.pop() ?? ""
    this.seen.push(...lines.map((line) => readEvent(line)))
  }

  async end(): Promise<void> {
    this.child.kill("SIGKILL")
    await this.child.exited
  }
}

/** A `dispatch` that runs in a place. */
export interface Dispatcher {
  readonly process: ReturnType<Place["start"]>
  /** Sends a signal and answers the exit code, or the signal's name, and how long that took. */
  readonly ended: (
    signal?: NodeJS.Signals
  ) => Promise<{ readonly code: number | string; readonly ms: number }>
  readonly stderr: () => Promise<string>
}

export const dispatcher = (
  place: Place,
  args: ReadonlyArray<string> = [],
  options: RunOptions = {}
): Dispatcher => {
  const process = place.start(["dispatch", ...args], options)
  const stderr = new Response(process.stderr).text()
  return {
    process,
    stderr: () => stderr,
    ended: async (signal) => {
      const began = performance.now()
      if (signal !== undefined) process.kill(signal)
      const code = await process.exited
      return { code: process.signalCode ?? code, ms: performance.now() - began }
    }
  }
}

/** Runs a body beside a follower and the dispatchers that it starts; what is left of them is killed. */
export const beside = async (
  place: Place,
  body: (
    follow: Follower,
    begin: (args?: ReadonlyArray<string>, options?: RunOptions) => Dispatcher
  ) => Promise<void>
): Promise<void> => {
  const all: Array<Dispatcher> = []
  // The store is made before anybody follows it.
  await place.json(["status"])
  const follow = new Follower(place)
  try {
    await body(follow, (args, options) => {
      const one = dispatcher(place, args, options)
      all.push(one)
      return one
    })
  } finally {
    for (const { process } of all) process.kill("SIGKILL")
    await Promise.all(all.map(({ process }) => process.exited))
    await follow.end()
  }
}
