import { Effect } from "effect"

/**
 * Makes a named pipe with somebody who writes `text` to it as soon as it is opened: who waits at it gets an answer and
 * is found out. With the scope's end the writer is gone.
 */
export const pipeFile = (path: string, text: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      if (Bun.spawnSync(["mkfifo", "-m", "600", path]).exitCode !== 0) throw new Error("mkfifo failed")
      return Bun.spawn(["sh", "-c", 'printf %s "$1" > "$2"', "sh", text, path], { stderr: "ignore" })
    }),
    (writer) =>
      Effect.promise(() => {
        writer.kill("SIGKILL")
        return writer.exited
      })
  )
