import { Place } from "../support/binary.ts"
import { type Figures, figures } from "./Measure.ts"

const spawned = async (command: ReadonlyArray<string>, cwd: string, env: Record<string, string>) => {
  const child = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "ignore", stderr: "ignore" })
  const code = await child.exited
  if (code !== 0) throw new Error(`${command.join(" ")} exited ${code}`)
}

/** Commands of the binary from start to exit, against `bun -e` with one SQLite read. */
export const starts = async (
  commands: ReadonlyArray<string>,
  rounds: number
): Promise<ReadonlyArray<Figures>> => {
  const place = await Place.make()
  try {
    await place.run(["intake", "--json", '{"kind":"note","source":"bench","payload":{}}'])
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: place.folder,
      AGENT_RUNTIME_CONFIG: place.path("runtime.json")
    }
    const read = `new (require("bun:sqlite").Database)("state/runtime.db", { readonly: true }).query("SELECT status, n FROM task_counts").all()`
    const all: Array<Figures> = []
    for (const command of commands)
      all.push(
        await figures({
          rounds,
          program: () => spawned([place.program, command], place.folder, env),
          floor: () => spawned([process.execPath, "-e", read], place.folder, env)
        })
      )
    return all
  } finally {
    await place.remove()
  }
}
