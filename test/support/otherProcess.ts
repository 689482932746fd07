import { join } from "node:path"

const worker = join(import.meta.dir, "storeWorker.ts")

/** A process that runs test/support/storeWorker.ts: what it says, line by line, and what it is told. */
export interface OtherProcess {
  readonly next: () => Promise<string>
  readonly goOn: () => void
  readonly kill: () => Promise<void>
  /** Its exit code and what it wrote to stderr. */
  readonly end: () => Promise<{ readonly code: number; readonly stderr: string }>
}

/** Starts one; it ends by itself, or by `kill`. */
export const otherProcess = (...args: ReadonlyArray<string>): OtherProcess => {
  const child = Bun.spawn([process.execPath, worker, ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe"
  })
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  const stderr = new Response(child.stderr).text()
  let rest = ""
  const next = async (): Promise<string> => {
    for (;;) {
      const end = rest.indexOf("\n")
      if (end >= 0) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 1)
        return line
      }
      const { done, value } = await reader.read()
      if (done) throw new Error(`the other process ended: ${await stderr}`)
      rest += value
    }
  }
  return {
    next,
    goOn: () => {
      child.stdin.write("go on\n")
      child.stdin.flush()
    },
    kill: async () => {
      child.kill("SIGKILL")
      await child.exited
    },
    end: async () => {
      child.stdin.end()
      return { code: await child.exited, stderr: await stderr }
    }
  }
}
