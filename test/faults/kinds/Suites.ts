import type { Fault } from "../Fault.ts"

const LIMIT_MS = 450_000

/** A suite of tests of its own, with all that it can try. */
const suite = (name: string, file: string, env: Readonly<Record<string, string>>): Fault => ({
  name,
  needs: ["strace"],
  rounds: 1,
  sample: [],
  found: "",
  round: async () => {
    const child = Bun.spawn([process.execPath, "test", file], {
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      timeout: LIMIT_MS
    })
    const said = await new Response(child.stderr).text()
    const passed = Number(/(\d+) pass/.exec(said)?.[1] ?? 0)
    const failed = said.split("\n").filter((line) => line.startsWith("(fail)"))
    return {
      strikes: passed,
      violations: (await child.exited) === 0 ? [] : [...failed, said.slice(-1_000)]
    }
  }
})

export const suites: ReadonlyArray<Fault> = [
  suite("SIGKILL at every call of backup and restore", "test/faults/killAtRestore.test.ts", {
    AGENT_RUNTIME_TEST_EVERY: "1"
  }),
  suite("a hundred backups of a store at work", "test/layers/store/DiskBackups.test.ts", {
    AGENT_RUNTIME_TEST_BACKUPS: "100"
  })
]
