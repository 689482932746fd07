import type { Place, RunOptions, Told } from "../support/binary.ts"
import { beyond, watchUse } from "./Bounds.ts"

const LOOK_EVERY_MS = 100

/** A command that runs on beside others. */
export interface Running {
  readonly pid: number
  readonly isAlive: () => boolean
  readonly kill: (signal: NodeJS.Signals) => void
  /** The first match in what it says on stderr, as soon as it is there; undefined when it ends before. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray | undefined>
  /** How it ended, when it has. */
  readonly ended: Promise<Told>
  /** Sends a signal and waits for the end. */
  readonly end: (signal: NodeJS.Signals) => Promise<Told>
}

/** What comes on a stream, as it comes. */
class Heard {
  text = ""
  private isOver = false
  private waiting = Promise.withResolvers<void>()
  readonly whole: Promise<string>

  constructor(stream: ReadableStream<Uint8Array>) {
    this.whole = this.read(stream)
  }

  private async read(stream: ReadableStream<Uint8Array>): Promise<string> {
    const decoder = new TextDecoder()
    const reader = stream.getReader()
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      this.text += decoder.decode(part.value, { stream: true })
      this.waiting.resolve()
      this.waiting = Promise.withResolvers()
    }
    this.isOver = true
    this.waiting.resolve()
    return this.text
  }

  async first(pattern: RegExp): Promise<RegExpExecArray | undefined> {
    for (;;) {
      const found = pattern.exec(this.text)
      if (found !== null) return found
      if (this.isOver) return undefined
      await this.waiting.promise
    }
  }
}

/** Starts a command; when it has ended `judge` is given how, and where it went beyond its bounds. */
export const start = (
  place: Place,
  args: ReadonlyArray<string>,
  options: RunOptions,
  judge: (told: Told, beyond: ReadonlyArray<string>) => void
): Running => {
  const child = place.start(args, options)
  const heard = new Heard(child.stderr)
  const ended = (async (): Promise<Told> => {
    const [stdout, stderr, used, code] = await Promise.all([
      new Response(child.stdout).text(),
      heard.whole,
      watchUse(child.pid, LOOK_EVERY_MS),
      child.exited
    ])
    const signal = child.signalCode === null ? null : String(child.signalCode)
    const told = { code: signal === null ? code : null, signal, stdout, stderr }
    judge(told, beyond(used))
    return told
  })()
  return {
    pid: child.pid,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => child.kill(signal),
    says: (pattern) => heard.first(pattern),
    ended,
    end: (signal) => {
      child.kill(signal)
      return ended
    }
  }
}
