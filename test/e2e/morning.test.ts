import { expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"
import { claims, inPlace, queue, runOnce, saying, scripted } from "./inPlace.ts"

setDefaultTimeout(60_000)

const file = join(import.meta.dir, "../../README.md")
const readme = await Bun.file(file).text()
const BLOCK = /```console\n([\s\S]*?)```/
const transcript = BLOCK.exec(readme)?.[1] ?? ""

const asks = saying(
  claims({ status: "blocked", machine_status: "blocked", operator_summary: "I need the vault's key." })
)
const NIGHT = `case "$AGENT_RUNTIME_TASK_PAYLOAD_JSON" in
  *pump*) echo "the pump answers 503" >&2; exit 7 ;;
  *key*) ${asks}
  ;;
  *) echo "All is quiet." ;;
esac`

/** Lines that are left out of a long answer. */
const LEFT_OUT = "…"
/** Of a task's story so many lines are shown. */
const SHOWN = 15

/** Ids and times as they stand in the README: as long as real ones, so that columns stay. */
const settled = () => {
  const real = new Map<string, string>()
  const plain = new Map<string, string>()
  const idOf = (id: string): string => {
    const known = plain.get(id)
    if (known !== undefined) return known
    const made = `0196a1b2-0000-7000-8000-${String(plain.size + 1).padStart(12, "0")}`
    plain.set(id, made)
    real.set(made, id)
    return made
  }
  return {
    inReadme: (text: string): string =>
      text
        .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, idOf)
        .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "2026-04-29T07:01:02.003Z")
        .replace(/^\d{4}-\d\d-\d\d /gm, "2026-04-29 "),
    inPlace: (line: string): string => line.replace(/0196a1b2-\S+/g, (id) => real.get(id) ?? id)
  }
}

const words = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "")

const cut = (text: string): string => {
  const lines = text.trimEnd().split("\n")
  return (lines.length <= SHOWN ? lines : [...lines.slice(0, SHOWN), LEFT_OUT]).join("\n")
}

test("the README's morning is what the commands print, each answering its question", () =>
  inPlace(scripted(NIGHT, {}, { retryBackoffSeconds: 3_000 }), async (place) => {
    for (const [subject, message] of [
      ["Look at the pump", "pump"],
      ["Rotate the key", "key"],
      ["Good morning", "hello"]
    ] as const) {
      await queue(place, { subject, payload: { message } })
      await runOnce(place)
    }
    await queue(place, { subject: "Water the plants", priority: 3 })
    await queue(place, { subject: "Count the sheep", priority: 2 })
    const { inPlace: real, inReadme } = settled()
    const commands = transcript.split("\n").filter((line) => line.startsWith("$ "))
    expect(commands.length).toBeGreaterThanOrEqual(4)
    const printed: Array<string> = []
    for (const command of commands) {
      const told = await place.run([...words(real(command)).slice(2), "-o", "table"])
      expect([command, told.code, told.stderr]).toEqual([command, 0, ""])
      printed.push(`${command}\n${cut(inReadme(told.stdout))}\n`)
    }
    const found = printed.join("\n")
    if (process.env.UPDATE_GOLDEN === "1")
      await Bun.write(
        file,
        readme.replace(BLOCK, () => `\`\`\`console\n${found}\`\`\``)
      )
    else expect(found).toBe(transcript)
  }))
