import { expect, setDefaultTimeout, test } from "bun:test"
import { chmod, mkdir, readdir } from "node:fs/promises"
import type { Place } from "../support/binary.ts"
import { claims, inPlace, queue, runOnce, saying, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

const TOKEN = 'hunter22"/w&rd+x'
const API_KEY = "ghp_16C7e42F292c6912E7710c838347Ae178B4aghp_16C7e42F292c6912E7710c838347Ae178B4a"
const FILE_KEY = "from-a-file-77"

const encodings: ReadonlyArray<(value: string) => string> = [
  (value) => value,
  (value) => Buffer.from(value).toString("base64"),
  (value) => Buffer.from(`u:${value}`).toString("base64url"),
  (value) => Buffer.from(value).toString("hex"),
  (value) => Buffer.from(value).toString("hex").toUpperCase(),
  encodeURIComponent,
  (value) => JSON.stringify(value).slice(1, -1)
]

/** What no file may hold: the forms, less the ends that base64 shares with other bytes. */
const forbidden = [TOKEN, API_KEY, FILE_KEY].flatMap((value) => [
  ...encodings.map((encode) => encode(value)),
  ...["", "a", "ab"].map((before) =>
    Buffer.from(before + value)
      .toString("base64")
      .slice(4, -4)
  )
])

const found = (text: string): ReadonlyArray<string> => {
  const joined = text.replace(/\s/g, "")
  return forbidden.filter((form) => text.includes(form) || joined.includes(form))
}

/** Every file of the state folder that holds a form of a secret, the database and its WAL among them. */
const leaks = async (place: Place, except: ReadonlyArray<string> = []) => {
  const names = (await readdir(place.state, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
  expect(names.some((name) => name.endsWith("runtime.db"))).toBe(true)
  const held = await Promise.all(
    names
      .filter((name) => !except.some((one) => name.endsWith(one)))
      .map(async (name) => ({
        name,
        forms: found(Buffer.from(await Bun.file(name).bytes()).toString("latin1"))
      }))
  )
  return held.filter(({ forms }) => forms.length > 0)
}

const told = async (place: Place, id: string): Promise<string> => {
  const commands = [
    ["task-show", id],
    ["task-show", id, "-o", "table"],
    ["task-list"],
    ["events", "--since", "0"],
    ["status"],
    ["healthcheck"]
  ]
  const outputs: Array<string> = []
  for (const args of commands) {
    const { stderr, stdout } = await place.run(args)
    outputs.push(stdout, stderr)
  }
  return outputs.join("\n")
}

const withSecrets = async <A>(script: string, body: (place: Place) => Promise<A>): Promise<A> =>
  inPlace(
    scripted(script, { envFile: "adapter.env", env: { FILE_KEY: { secretFile: "key" } } }),
    async (place) => {
      await place.write("adapter.env", `export TOKEN='${TOKEN}'\nAPI_KEY=${API_KEY}\nPORT=8080\n`)
      await place.write("key", `${FILE_KEY}\n`)
      await chmod(place.path("adapter.env"), 0o600)
      await chmod(place.path("key"), 0o600)
      return body(place)
    }
  )

/** Shell that prints every form of every secret to this descriptor, the values themselves in two writes. */
const echoing = (to: number, log: string) =>
  [
    'for v in "$TOKEN" "$API_KEY" "$FILE_KEY"; do',
    'printf "plain %s\\n" "$v"',
    'printf %s "$v" | base64',
    'printf "user:%s@host" "$v" | base64 -w0; echo',
    'printf %s "$v" | od -An -tx1',
    'printf %s "$v" | od -An -tx1 | tr -d " \\n" | tr a-f A-F; echo',
    'printf %s "$v" | od -An -tx1 | tr -d "\\n" | tr " " %; echo',
    'printf "mark-%s %s" "$v" "$(printf %s "$v" | cut -c1-7)"',
    `until grep -q "mark-" "$AGENT_RUNTIME_AUDIT_DIR/${log}"; do sleep 0.01; done`,
    'printf "%s end\\n" "$(printf %s "$v" | cut -c8-)"',
    "done",
    "cat forms",
    'echo "port $PORT"'
  ]
    .join(`\n`)
    .replace(/^/, "{ ")
    .concat(`\n} >&${to}`)

const writeForms = (place: Place) =>
  place.write(
    "forms",
    [TOKEN, API_KEY, FILE_KEY].flatMap((value) => encodings.map((encode) => `${encode(value)}\n`)).join("")
  )

for (const [ending, status] of [
  ["exit 0", "completed"],
  ["exit 3", "retryable_failure"]
] as const)
  test(`nothing that is stored or told holds a secret that a script printed in plain text (${ending})`, () =>
    withSecrets(`${echoing(1, "stdout.log")}\n${echoing(2, "stderr.log")}\n${ending}`, async (place) => {
      await writeForms(place)
      const id = await queue(place, { payload: { output_path: "out.md", args: ["plain"] } })
      const cycle = await runOnce(place)
      expect(cycle.status).toBe(status)
      expect(found(JSON.stringify(cycle))).toEqual([])
      expect(await leaks(place)).toEqual([])
      expect(found(await told(place, id))).toEqual([])
      const [attempt] = (await story(place, id)).attempts
      for (const path of [attempt?.stdout_path, attempt?.stderr_path]) {
        const log = await Bun.file(place.path("state/artifacts", path ?? "?")).text()
        expect(log.match(/\[redacted\]/g)?.length).toBeGreaterThan(30)
        expect(log).toContain("plain [redacted]\n")
        expect(log).toContain("port 8080\n")
      }
    }))

test("an outcome that repeats a secret in every field is believed and stored masked", () =>
  withSecrets("cat answer", async (place) => {
    const all = encodings.map((encode) => encode(TOKEN)).join(" ")
    const answer = claims({
      operator_summary: `used ${all}`,
      file_changes: [`a remark: ${API_KEY}`],
      follow_up_tasks: [{ kind: "note", subject: all, payload: { [TOKEN]: [all] } }],
      external_messages: [{ type: "discord_reply", channel: FILE_KEY, content: all }],
      workflow_signal: FILE_KEY,
      question: { text: all, choices: [TOKEN] },
      [`unknown ${TOKEN}`]: 1
    })
    await place.write("answer", `log ${TOKEN}\n${JSON.stringify(answer)}\n`)
    const id = await queue(place)
    const cycle = await runOnce(place)
    expect(cycle.status).toBe("completed")
    expect(found(JSON.stringify(cycle))).toEqual([])
    const { task } = await story(place, id)
    expect(task.outcome?.operator_summary).toStartWith("used [redacted] [redacted]")
    expect(await leaks(place)).toEqual([])
    expect(found(await told(place, id))).toEqual([])
  }))

test("a secret that somebody writes into what comes in is stored masked, whichever door it comes through", () =>
  withSecrets("cat", async (place) => {
    const all = encodings.map((encode) => encode(TOKEN)).join(" ")
    const task = {
      kind: `note ${TOKEN}`,
      source: `by ${TOKEN}`,
      payload: { text: all, [API_KEY]: [FILE_KEY] }
    }
    const asJson = (args: ReadonlyArray<string>, document: unknown) =>
      place.json([...args, "--json", JSON.stringify(document), "-o", "json"])
    const id = await queue(place, {
      ...task,
      subject: `use ${API_KEY}`,
      description: FILE_KEY,
      dedupe_key: `once ${TOKEN}`
    })
    await asJson(["schedule-create"], { name: `daily ${TOKEN}`, interval_seconds: 60, task })
    await asJson(["sensor-event"], {
      sensor_id: `s ${TOKEN}`,
      event_id: `e ${API_KEY}`,
      source_ref: `r ${FILE_KEY}`,
      dedupe_key: `k ${TOKEN}`,
      payload: { seen: all },
      proposed_task: task
    })
    const context = JSON.stringify({ objective: API_KEY })
    await place.json([
      "workflow-create",
      "--template",
      "goal-loop",
      "--instance_key",
      `g ${API_KEY}`,
      "--context",
      context
    ])
    await place.json(["pause", "--reason", `the key ${FILE_KEY}`])
    await place.json(["resume"])
    await runOnce(place)
    const canceled = await queue(place, { subject: "never" })
    await place.json(["task-cancel", canceled, "--reason", all])
    expect(await leaks(place)).toEqual([])
    expect(found(await told(place, id))).toEqual([])
    const { subject, payload } = (await story(place, id)).task
    expect([subject, payload]).toEqual([
      "use [redacted]",
      { text: expect.stringContaining("[redacted]"), "[redacted]": ["[redacted]"] }
    ])
  }))

for (const [what, content] of [
  ["as it is", 'printf "# Mine\\n%s\\n" "$TOKEN"'],
  ["in base64", 'printf "key: %s" "$API_KEY" | base64'],
  ["in hex", 'printf %s "$FILE_KEY" | od -An -tx1']
] as const)
  test(`an artifact that a script wrote with a secret in it, ${what}, blocks its task`, () =>
    withSecrets(
      `mkdir -p "$AGENT_RUNTIME_ARTIFACT_DIR/mine"; { ${content}; } > "$AGENT_RUNTIME_ARTIFACT_DIR/mine/a.md"\n${saying(claims({ artifact_paths: ["mine/a.md"] }))}`,
      async (place) => {
        const id = await queue(place)
        expect(await runOnce(place)).toMatchObject({
          status: "blocked",
          reason: expect.stringContaining("secret_in_artifact")
        })
        const { attempts } = await story(place, id)
        expect(attempts[0]?.issues).toEqual([
          'secret_in_artifact: the reported artifact "mine/a.md" holds a secret value; remove the file and replace the secret.'
        ])
        expect(await leaks(place, ["mine/a.md"])).toEqual([])
        expect(found(await told(place, id))).toEqual([])
      }
    ))

test("a secret behind nine million bytes of an artifact blocks its task", () =>
  withSecrets(
    `{ head -c 9000000 /dev/zero; printf %s "$TOKEN"; } > "$AGENT_RUNTIME_ARTIFACT_DIR/large.bin"\n${saying(claims({ artifact_paths: ["large.bin"] }))}`,
    async (place) => {
      await queue(place)
      expect(await runOnce(place)).toMatchObject({
        status: "blocked",
        reason: expect.stringContaining("secret_in_artifact")
      })
      expect(Bun.file(place.path("state/artifacts/large.bin")).size).toBe(9_000_000 + TOKEN.length)
      expect(await leaks(place, ["large.bin"])).toEqual([])
    }
  ))

test("a changed file with a secret in it blocks its task, and one without does not", () =>
  withSecrets(
    `printf "%s" "$1" > kept/new.txt; ${saying(claims({ file_changes: ["created: kept/new.txt"] }))}`,
    async (place) => {
      await mkdir(place.path("kept"))
      await queue(place, { payload: { args: ["harmless"] } })
      expect(await runOnce(place)).toMatchObject({ status: "completed" })
      await Bun.write(
        place.path("run.sh"),
        `#!/bin/sh\necho "$TOKEN" > kept/new.txt; ${saying(claims({ file_changes: ["modified: kept/new.txt"] }))}\n`
      )
      await queue(place)
      expect(await runOnce(place)).toMatchObject({
        status: "blocked",
        reason: expect.stringContaining("secret_in_artifact")
      })
      expect(await leaks(place)).toEqual([])
    }
  ))

test("a script that prints the files of another adapter's secrets and a token's has none of them stored", () =>
  inPlace(
    scripted(
      "cat b.env key token; cat b.env key token >&2; base64 -w0 token; exit 3",
      {},
      {
        adapters: {
          local: { mode: "script", command: "./run.sh" },
          b: {
            mode: "script",
            command: "./run.sh",
            envFile: "b.env",
            env: { FILE_KEY: { secretFile: "key" } }
          }
        },
        http: { tokens: [{ name: "reader", role: "read", tokenFile: "token" }] }
      }
    ),
    async (place) => {
      for (const [name, text] of [
        ["b.env", `TOKEN='${TOKEN}'\n`],
        ["key", `${FILE_KEY}\n`],
        ["token", `${API_KEY}\n`]
      ] as const) {
        await place.write(name, text)
        await chmod(place.path(name), 0o600)
      }
      const id = await queue(place)
      expect(await runOnce(place)).toMatchObject({ status: "retryable_failure" })
      expect(await leaks(place)).toEqual([])
      expect(found(await told(place, id))).toEqual([])
      const [attempt] = (await story(place, id)).attempts
      const log = await Bun.file(place.path("state/artifacts", attempt?.stderr_path ?? "?")).text()
      expect(log).toBe("TOKEN='[redacted]'\n[redacted]\n[redacted]\n")
    }
  ))

test("healthcheck names the secrets that are too short to be masked", () =>
  withSecrets("true", async (place) => {
    await Bun.write(place.path("adapter.env"), "PIN=x1y2\nPORT=80\nLONG=hunter22\n")
    const { stdout } = await place.run(["healthcheck"])
    const { adapters } = JSON.parse(stdout)
    expect(adapters[0]).toMatchObject({ id: "local", ok: true })
    expect(adapters[0].warnings).toEqual([
      `PIN of env file ${place.path("adapter.env")} has fewer than 6 characters and is not masked in what is stored`
    ])
  }))
