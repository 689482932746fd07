import { readdirSync, readFileSync } from "node:fs"

/** Kills what this process has started and what still runs; a dispatcher's own children die with it. */
export const killChildren = (): void => {
  const pids = readdirSync("/proc/self/task").flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" ").filter(Boolean)
  )
  for (const pid of pids)
    try {
      process.kill(Number(pid), "SIGKILL")
    } catch {
      // It has ended by itself.
    }
}

/** A run that is told to end leaves nobody behind. */
export const killChildrenOnSignals = (): void => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129]
  ] as const)
    process.on(signal, () => {
      killChildren()
      process.exit(code)
    })
}
