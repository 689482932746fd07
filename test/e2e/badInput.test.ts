import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync } from "node:fs"
import { Place } from "../support/binary.ts"
import { type BadInput, badInput } from "./badInput.ts"
import { bare, errorOf, queue } from "./inPlace.ts"
import { exactly, TaskPage } from "./wire.ts"

setDefaultTimeout(120_000)

/** Two cores. */
const AT_ONCE = 2

let place: Place
let before = ""
const database = () => Bun.hash(readFileSync(place.path("state", "runtime.db"))).toString()

beforeAll(async () => {
  place = await Place.make()
  await queue(place)
  await Bun.write(place.path("bad", ".keep"), "")
  before = database()
})
afterAll(() => place.remove())

const run = async ({ args, files, stdin }: BadInput, json: boolean) => {
  for (const [path, text] of Object.entries(files ?? {})) await place.write(path, text)
  return bare(place.program, [...(json ? ["-o", "json"] : []), ...args], {
    cwd: place.folder,
    env: { PATH: "/usr/bin:/bin", HOME: place.folder, AGENT_RUNTIME_CONFIG: place.path("runtime.json") },
    ...(stdin === undefined ? {} : { stdin: Buffer.from(stdin) })
  })
}

/** What is wrong with how a case was told; none when all is well. */
const complaints = async (bad: BadInput, json: boolean): Promise<ReadonlyArray<string>> => {
  const told = await run(bad, json)
  const text = json && told.stderr.startsWith("{") ? errorOf(told).error : told.stderr
  const lines = text.trimEnd().split("\n")
  const telling = lines.filter((one) => bad.words.every((word) => one.includes(word)))
  const found = [
    ...(told.code === 2 ? [] : [`exit code ${told.code} ${told.signal ?? ""}`]),
    ...(told.stdout === "" ? [] : [`stdout: ${told.stdout}`]),
    ...(telling.length > 0 ? [] : [`no line says ${JSON.stringify(bad.words)}`]),
    ...(new Set(lines).size === lines.length ? [] : ["a line is told twice"]),
    ...(/^\s+at |node_modules|\.ts:\d/m.test(text) ? ["a stack trace"] : []),
    ...(json && !told.stderr.startsWith("{") ? ["no object with -o json"] : []),
    ...(!json && !lines[0]?.startsWith("agent-runtime: ") ? ["no program name"] : []),
    ...(lines.every((one) => one.length <= 2_100) ? [] : ["a line without end"]),
    ...(database() === before ? [] : ["the database changed"])
  ]
  return found.length === 0 ? [] : [`${bad.name}: ${found.join("; ")}\n${told.stderr.slice(0, 1_500)}`]
}

for (const [group, cases] of Object.entries(badInput))
  test(`${cases.length} wrong ${group} are refused with exit code 2 and a line that names what and why`, async () => {
    const waiting = cases.map((bad, at) => ({ bad, json: at % 3 === 2 }))
    const found: Array<string> = []
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        found.push(...(await complaints(next.bad, next.json)))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    expect(found.join("\n")).toBe("")
  })

test("there are at least 120 of them, and after all of them the queue is as it was", async () => {
  expect(Object.values(badInput).flat().length).toBeGreaterThanOrEqual(120)
  expect(exactly(TaskPage, await place.json(["task-list"])).tasks).toHaveLength(1)
})
