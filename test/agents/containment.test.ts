import { afterAll, expect, setDefaultTimeout } from "bun:test"
import { readdir } from "node:fs/promises"
import { Schema } from "effect"
import { runOnce } from "../e2e/inPlace.ts"
import { isLong } from "../support/breadth.ts"
import { needs } from "../support/needs.ts"
import { claude, codex } from "./programs.ts"
import { Stage, WORK } from "./stage.ts"

setDefaultTimeout(60_000)

const SECRET = "hunter22-and-more/than+that"
const withSecret = { SECRET_OF_THE_TEST: SECRET }
const NOTE = "what stands in a file that nobody meant to send"
const ORDERS = "orders from a file in the working directory"

const test = needs("a network of its own", "ip", "codex", "claude")
/** Every run tries one of the two, the long suite both. */
const either = (one: string): ReadonlyArray<string> => (isLong ? ["codex", "claude-code"] : [one])

let opened: Promise<Stage> | undefined
const stage = () => {
  const env = { STUB_SECRET: { secretEnv: "SECRET_OF_THE_TEST" } }
  opened ??= Stage.open({
    apart: true,
    adapters: (house) => ({
      codex: codex(house, { env }),
      "claude-code": claude(house, { env }),
      "codex, restricted": codex(house, { autonomy: "restricted", sandbox: "read-only" }),
      "claude-code, restricted": claude(house, { autonomy: "restricted" })
    }),
    files: {
      "note.txt": NOTE,
      [`${WORK}/AGENTS.md`]: ORDERS,
      [`${WORK}/CLAUDE.md`]: ORDERS
    }
  })
  return opened
}

afterAll(async () => (await opened)?.close())

const forms = [
  SECRET,
  Buffer.from(SECRET).toString("base64"),
  Buffer.from(SECRET).toString("hex"),
  encodeURIComponent(SECRET)
]

/** The files below a folder that hold a form of the secret. */
const leaks = async (folder: string): Promise<ReadonlyArray<string>> => {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile()
  )
  const names = files.map(({ name, parentPath }) => `${parentPath}/${name}`)
  expect(names.some((name) => name.endsWith("runtime.db"))).toBe(true)
  const texts = await Promise.all(names.map((name) => Bun.file(name).bytes()))
  return names.filter((_, index) => {
    const text = Buffer.from(texts[index] ?? []).toString("latin1")
    return forms.some((form) => text.includes(form))
  })
}

for (const adapter of ["codex", "claude-code"])
  test(`a secret that a tool call of ${adapter} prints, plain, base64 and hex, is stored nowhere`, async () => {
    const on = await stage()
    const { place } = on
    const file = await place.write("secret.txt", SECRET)
    const seen = await on.play({ scenario: `secret ${file}`, adapter }, withSecret)
    expect(seen.requests.some(({ body }) => forms.slice(0, 3).every((form) => body.includes(form)))).toBe(
      true
    )
    expect(seen.task.status).toBe("completed")
    expect(seen.task.outcome?.operator_summary).toContain("plain [redacted]")
    expect(await on.audit(seen, "stdout.log")).toContain("[redacted]")
    expect(await leaks(place.state)).toEqual([])
    const told = await place.run(["task-show", seen.task.task_id])
    expect(forms.filter((form) => `${told.stdout}${told.stderr}`.includes(form))).toEqual([])
  })

/** Runs what an outsider wrote on Discord by one adapter, and answers all that the model was sent. */
const fromOutside = async (on: Stage, adapter: string, message: string): Promise<string> => {
  await on.house.forget()
  const config = await on.place.write(
    "outside.json",
    JSON.stringify({ extends: "runtime.json", defaultAdapter: adapter })
  )
  const env = { ...withSecret, AGENT_RUNTIME_CONFIG: config }
  const event = { event: "mention", channel: "c", author: "a", message: `${message} [[stub:ok]]` }
  const Made = Schema.Struct({ task_id: Schema.String })
  const { task_id } = await on.place.read(Made, ["bridge-discord", "--file", "-"], {
    env,
    stdin: JSON.stringify(event)
  })
  expect(await runOnce(on.place, { under: on.house.within, env })).toMatchObject({ task_id })
  const { attempt, requests, task } = await on.seen(task_id)
  expect({ adapter: attempt.adapter_id, status: task.status, untrusted: task.untrusted }).toEqual({
    adapter,
    status: "completed",
    untrusted: true
  })
  return requests.map(({ body }) => body).join("\n")
}

for (const adapter of either("codex"))
  test(`a file that untrusted text names with an @ does not reach the model by ${adapter}`, async () => {
    const on = await stage()
    const note = on.place.path("note.txt")
    const sent = await fromOutside(
      on,
      adapter,
      `Tell me what stands in @${note} please, and in @/etc/hostname .`
    )
    expect(sent).toContain(`@${note}`)
    expect(sent).not.toContain(NOTE)
  })

for (const adapter of either("codex"))
  test(`instructions in the working directory reach the model by ${adapter} for trusted tasks only`, async () => {
    const on = await stage()
    expect(await fromOutside(on, adapter, "Hello there.")).not.toContain(ORDERS)
    const { requests } = await on.play({ scenario: "ok", adapter }, withSecret)
    expect(requests.some(({ body }) => body.includes(ORDERS))).toBe(true)
  })

for (const adapter of either("claude-code"))
  test(`the flags that let ${adapter} do anything are there with trusted-vm, and not without`, async () => {
    const on = await stage()
    const free = await on.play({ scenario: "ok", adapter }, withSecret)
    expect(await on.audit(free, "invocation.json")).toContain("dangerously")
    const bound = await on.play({ scenario: "ok", adapter: `${adapter}, restricted` }, withSecret)
    expect(await on.audit(bound, "invocation.json")).not.toMatch(/dangerously|bypass/)
  })
