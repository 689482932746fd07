import type { Place, RunOptions } from "../support/binary.ts"

/** A server that runs in a place. */
export interface Serving {
  readonly process: ReturnType<Place["start"]>
  readonly url: string
  /** Sends a signal and answers the exit code, or the signal's name, and how long that took. */
  readonly ended: (signal: NodeJS.Signals) => Promise<{ readonly code: number | string; readonly ms: number }>
}

/** Starts `serve` (or `up`) on a free port and answers when it listens. */
export const serving = async (
  place: Place,
  args: ReadonlyArray<string> = ["serve"],
  options: RunOptions = {}
): Promise<Serving> => {
  const process = place.start([...args, "--port", "0"], options)
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader()
  let told = ""
  let url: string | undefined
  while (url === undefined) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`the server ended before it listened: ${told}`)
    told += value
    url = /Listening on (http:\/\/[^"\s]+)\//.exec(told)?.[1]
  }
  // Whoever writes to a pipe that nobody reads waits some day.
  void (async () => {
    while (!(await reader.read()).done);
  })()
  return {
    process,
    url,
    ended: async (signal) => {
      const began = performance.now()
      process.kill(signal)
      const code = await process.exited
      return { code: process.signalCode ?? code, ms: performance.now() - began }
    }
  }
}

/** Runs a body beside servers that it starts; what is left of them is killed. */
export const besideServers = async (
  place: Place,
  body: (begin: (args?: ReadonlyArray<string>, options?: RunOptions) => Promise<Serving>) => Promise<void>
): Promise<void> => {
  const all: Array<Serving> = []
  try {
    await body(async (args, options) => {
      const one = await serving(place, args, options)
      all.push(one)
      return one
    })
  } finally {
    for (const { process } of all) process.kill("SIGKILL")
    await Promise.all(all.map(({ process }) => process.exited))
  }
}
