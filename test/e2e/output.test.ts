import { expect, setDefaultTimeout, test } from "bun:test"
import { inPlace, queue, runOnce } from "./inPlace.ts"

setDefaultTimeout(60_000)

const ESCAPE = "\u001b"

test("a pipe gets JSON; -o table is for people, without escapes where there is no terminal", () =>
  inPlace({}, async (place) => {
    const id = await queue(place, { subject: "Read me" })
    await runOnce(place)
    for (const args of [
      ["status"],
      ["task-list"],
      ["task-show", id],
      ["events"],
      ["healthcheck"],
      ["pause"]
    ]) {
      expect(await place.json(args)).toBeObject()
      const table = await place.run(["-o", "table", ...args])
      expect({ args, code: table.code, stderr: table.stderr }).toEqual({ args, code: 0, stderr: "" })
      expect(() => JSON.parse(table.stdout)).toThrow()
      expect(table.stdout).not.toContain(ESCAPE)
    }
    const shown = (await place.run(["task-show", id, "-o", "table"])).stdout
    for (const word of ["Read me", id, "completed", "done", "task_finished"]) expect(shown).toContain(word)
  }))

test("on a terminal it is a table in colour, without colour under NO_COLOR, and JSON when asked", () =>
  inPlace({}, async (place) => {
    await queue(place, { subject: "Read me" })
    // script(1) gives the command a terminal.
    const onTerminal = async (command: string, env: Readonly<Record<string, string>> = {}) => {
      const child = Bun.spawn(["script", "-qec", `${place.program} ${command}`, "/dev/null"], {
        cwd: place.folder,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        env: {
          PATH: process.env.PATH ?? "",
          HOME: place.folder,
          TERM: "xterm-256color",
          ...env,
          AGENT_RUNTIME_CONFIG: place.path("runtime.json")
        }
      })
      const text = await new Response(child.stdout).text()
      expect(await child.exited).toBe(0)
      return text
    }
    const coloured = await onTerminal("status")
    expect(coloured).toContain("Read me")
    expect(coloured).toContain(`${ESCAPE}[`)
    const plain = await onTerminal("status", { NO_COLOR: "1" })
    expect(plain).toContain("Read me")
    expect(plain).not.toContain(`${ESCAPE}[`)
    expect(JSON.parse(await onTerminal("status -o json"))).toMatchObject({ runtime_name: "test-runtime" })
  }))

test("options stand before the command, after it, before and after its argument", () =>
  inPlace({}, async (place) => {
    const id = await queue(place)
    const config = place.path("runtime.json")
    const env = { AGENT_RUNTIME_CONFIG: "/nowhere.json" }
    const lines = [
      ["--config", config, "task-show", id, "-o", "json"],
      ["-o", "json", "task-show", "--config", config, id],
      ["task-show", id, `--config=${config}`, "--output=json"],
      ["task-show", "-ojson", "--config", config, "--", id]
    ]
    for (const line of lines) expect(await place.json(line, { env })).toMatchObject({ task: { task_id: id } })
  }))
