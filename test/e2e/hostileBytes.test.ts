import { expect, setDefaultTimeout, test } from "bun:test"
import type { Place } from "../support/binary.ts"
import { bare, inPlace, queue, runOnce, saying, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

const ESCAPE = "\u001b"

/** The characters of a text that a terminal would obey, line ends excepted. */
const commanding = (text: string): ReadonlyArray<string> =>
  [...text].filter((letter) => letter !== "\n" && /[\p{Cc}\p{Bidi_Control}]/u.test(letter))

/** Runs a command on a document of these bytes. */
const feed = (place: Place, args: ReadonlyArray<string>, stdin: Uint8Array) =>
  bare(place.program, args, {
    cwd: place.folder,
    env: { PATH: "/usr/bin:/bin", AGENT_RUNTIME_CONFIG: place.path("runtime.json") },
    stdin
  })

test("every byte value that JSON can carry reaches the child as it was, and comes back as it was", () =>
  inPlace(
    scripted('cat > got.json; cmp got.json "$AGENT_RUNTIME_PAYLOAD_PATH" && echo same'),
    async (place) => {
      const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("")
      const payload = {
        all,
        bmp: "\ufeff\u2028\u2029\ufffd\uffff",
        astral: "\u{10000}\u{10ffff}",
        [all]: "key"
      }
      const id = await queue(place, { payload })
      expect(await runOnce(place)).toMatchObject({ status: "completed" })
      const { task } = await story(place, id)
      expect(task.payload).toEqual(payload)
      expect(task.outcome?.operator_summary).toBe("same")
      expect(await Bun.file(place.path("got.json")).json()).toEqual(payload)
    }
  ))

test("raw bytes at any place of a document are taken whole or refused with exit code 2", () =>
  inPlace({}, async (place) => {
    const bytes: ReadonlyArray<readonly [number[], "taken" | "refused"]> = [
      [[0x00], "refused"],
      [[0x0a], "refused"],
      [[0x1f], "refused"],
      [[0x7f], "taken"],
      [[0x80], "refused"],
      [[0xc0, 0x80], "refused"],
      [[0xc3, 0xa9], "taken"],
      [[0xed, 0xa0, 0x80], "refused"],
      [[0xf4, 0x90, 0x80, 0x80], "refused"],
      [[0xf0, 0x9f, 0x99, 0x82], "taken"],
      [[0xff], "refused"]
    ]
    const doors = [
      { args: ["intake", "-"], before: '{"kind":"note","source":"s","payload":{"t":"', after: '"}}' },
      {
        args: ["bridge-discord", "--file", "-"],
        before: '{"event":"m","channel":"c","author":"a","message":"m',
        after: '"}'
      }
    ]
    for (const [at, [raw, fate]] of bytes.entries()) {
      const { after, args, before } = doors[at % doors.length]!
      const document = Buffer.concat([Buffer.from(before), Buffer.from(raw), Buffer.from(after)])
      const told = await feed(place, args, document)
      expect({ raw, code: told.code, stdout: told.stdout !== "" }).toEqual({
        raw,
        code: fate === "taken" ? 0 : 2,
        stdout: fate === "taken"
      })
      if (fate === "refused") expect(told.stderr).toStartWith("agent-runtime: stdin")
    }
    const everything = new Uint8Array(Array.from({ length: 256 }, (_, byte) => byte))
    await Bun.write(place.path("every-byte"), everything)
    for (const args of [["intake"], ["bridge-github"], ["bridge-discord"]])
      expect(await feed(place, [...args, "--file", "every-byte"], new Uint8Array())).toMatchObject({
        code: 2,
        stdout: ""
      })
  }))

test("a payload of 10 MiB goes through, and is told whole", () =>
  inPlace(scripted('wc -c < "$AGENT_RUNTIME_PAYLOAD_PATH"'), async (place) => {
    const payload = { text: "0123456789abcdef".repeat(640 * 1024) }
    const id = await queue(place, { payload })
    expect(await runOnce(place)).toMatchObject({ status: "completed" })
    const { attempts, task } = await story(place, id)
    expect(task.payload).toEqual(payload)
    expect(task.outcome?.operator_summary).toBe(String(Buffer.byteLength(JSON.stringify(payload))))
    const prompt = Bun.file(place.path("state", "artifacts", attempts[0]?.prompt_path ?? "?"))
    expect(prompt.size).toBeLessThan(200_000)
  }))

test("names that mean something to JavaScript are only names, and __proto__ is refused wherever it stands", () =>
  inPlace(scripted("cat > got.json; echo done"), async (place) => {
    const payload =
      '{"constructor":{"prototype":{"polluted":true}},"toString":1,"hasOwnProperty":null,"args":{"length":-1}}'
    const intake = (document: string) => feed(place, ["intake", "-"], Buffer.from(document))
    const queued = await intake(`{"kind":"__proto__","source":"constructor","payload":${payload}}`)
    const { task_id } = JSON.parse(queued.stdout)
    expect(await runOnce(place)).toMatchObject({ status: "completed" })
    expect(await Bun.file(place.path("got.json")).text()).toBe(payload)
    const shown = JSON.parse((await place.run(["task-show", task_id])).stdout)
    expect(JSON.stringify(shown.task.payload)).toBe(payload)
    const long = JSON.stringify("x".repeat(2 * 1024 * 1024))
    for (const document of [
      '{"kind":"n","source":"s","payload":{},"__proto__":{"priority":99}}',
      '{"kind":"n","source":"s","payload":{"a":[{"__proto__":{"polluted":true}}]}}',
      `{"kind":"n","source":"s","payload":{"a":${long},"__proto__":{"polluted":true}}}`
    ]) {
      const told = await intake(document)
      expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 2, stdout: "" })
      expect(told.stderr).toContain("the key `__proto__` cannot be used")
    }
  }))

test("numbers at the edge and 99 levels of nesting come back as they were", () =>
  inPlace(scripted("cat > got.json; echo done"), async (place) => {
    const deep = `${'{"a":'.repeat(98)}1${"}".repeat(98)}`
    const payload = `{"most":9007199254740991,"large":1.7976931348623157e+308,"small":5e-324,"deep":${deep}}`
    const queued = await feed(
      place,
      ["intake", "-"],
      Buffer.from(`{"kind":"n","source":"s","payload":${payload}}`)
    )
    expect(queued).toMatchObject({ code: 0, stderr: "" })
    expect(await runOnce(place)).toMatchObject({ status: "completed" })
    expect(await Bun.file(place.path("got.json")).text()).toBe(payload)
  }))

test("escapes, line ends and bidirectional marks in what others wrote are shown, never sent to the terminal", () =>
  inPlace(
    scripted(saying(`${ESCAPE}[2J${ESCAPE}]0;title\u0007 done\u202e \r overwritten`)),
    async (place) => {
      const subject = `${ESCAPE}[31mred${ESCAPE}[0m\u0007\u202eevil\nnext\rover\u009b2J`
      const id = await queue(place, { subject, kind: `k${ESCAPE}[1m`, source: `s${ESCAPE}[1m` })
      await runOnce(place)
      for (const args of [["status"], ["task-list"], ["task-show", id], ["events"]]) {
        const { code, stdout } = await place.run([...args, "-o", "table"])
        expect({ args, code }).toEqual({ args, code: 0 })
        expect(commanding(stdout)).toEqual([])
      }
      expect((await story(place, id)).task.subject).toBe(subject)
      for (const word of [`${ESCAPE}[31mred`, "\u202eevil"]) {
        const told = await place.run(["task-show", word])
        expect(told.code).toBe(1)
        expect(told.stderr).not.toContain(word)
        expect(told.stderr).not.toContain(ESCAPE)
      }
    }
  ))

test("a child that prints every byte without end of line is kept byte for byte in its log", () =>
  inPlace(
    scripted('i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done'),
    async (place) => {
      const id = await queue(place)
      expect(await runOnce(place)).toMatchObject({ status: "completed" })
      const { attempts } = await story(place, id)
      const log = await Bun.file(place.path("state", "artifacts", attempts[0]?.stdout_path ?? "?")).bytes()
      expect([...log]).toEqual(Array.from({ length: 256 }, (_, byte) => byte))
    }
  ))
