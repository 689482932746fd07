import { expect, setDefaultTimeout, test } from "bun:test"
import { execFileSync } from "node:child_process"
import { symlinkSync, unlinkSync } from "node:fs"
import { Schema } from "effect"
import type { Place } from "../support/binary.ts"
import { errorOf, inPlace, outcomeOf, queue, runOnce, scripted, story } from "./inPlace.ts"
import { exactly } from "./wire.ts"

setDefaultTimeout(60_000)

/** What a process prints, as it comes. */
const readerOf = (stdout: ReadableStream<Uint8Array<ArrayBuffer>>) => {
  const reader = stdout.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  return {
    until: async (end: string): Promise<string> => {
      while (!text.endsWith(end)) {
        const { done, value } = await reader.read()
        if (done) throw new Error(`the stream ended after ${JSON.stringify(text)}`)
        text += value
      }
      return text
    },
    rest: async (): Promise<string> => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return text
        text += value
      }
    }
  }
}

/** A pipe with a name, through which a test and a script wait for each other. */
const pipe = (place: Place, name: string) => {
  execFileSync("mkfifo", [place.path(name)])
  return {
    read: () => new Response(Bun.spawn(["cat", name], { cwd: place.folder }).stdout).text(),
    open: () => Bun.spawn(["sh", "-c", `: > ${name}`], { cwd: place.folder }).exited
  }
}

/** Runs a task whose script says who it is and then does `script`, and `body` while it runs. */
const whileRunning = (
  script: string,
  gates: ReadonlyArray<string>,
  body: (place: Place, attempt: string, open: (gate: string) => Promise<unknown>) => Promise<unknown>
) =>
  inPlace(scripted(`echo "$AGENT_RUNTIME_ATTEMPT_ID" > who\n${script}`), async (place) => {
    const who = pipe(place, "who")
    const pipes = new Map(gates.map((gate) => [gate, pipe(place, gate)]))
    const task = await queue(place)
    const running = place.start(["run-once"])
    const attempt = (await who.read()).trim()
    await body(place, attempt, async (gate) => pipes.get(gate)?.open())
    expect(await running.exited).toBe(0)
    expect((await story(place, task)).task.status).toBe("completed")
  })

test("--follow shows a line before the next is written, and ends by itself with the attempt", () =>
  whileRunning(
    "cat one; echo first; cat two; printf 'sec'; cat three; echo ond",
    ["one", "two", "three"],
    async (place, attempt, open) => {
      const following = place.start(["attempt-log", attempt, "--follow"])
      const json = place.start(["attempt-log", "--follow", "-o", "json", attempt])
      const out = readerOf(following.stdout)
      await open("one")
      expect(await out.until("first\n")).toBe("first\n")
      await open("two")
      expect(await out.until("sec")).toBe("first\nsec")
      expect((await place.run(["attempt-log", attempt])).stdout).toBe("first\nsec")
      await open("three")
      expect(await out.rest()).toBe("first\nsecond\n")
      expect(await following.exited).toBe(0)
      const parts = (await new Response(json.stdout).text()).trimEnd().split("\n")
      const Part = Schema.Struct({
        attempt_id: Schema.Literal(attempt),
        stream: Schema.Literal("stdout"),
        offset: Schema.Int,
        text: Schema.String
      })
      const read = parts.map((line) => exactly(Schema.parseJson(Part), line))
      expect(read.map((part) => part.text).join("")).toBe("first\nsecond\n")
      expect(await new Response(following.stderr).text()).toBe("")
    }
  ))

test("--stderr is followed as well, and Ctrl-C ends it with 130 while the attempt goes on", () =>
  whileRunning("echo trouble >&2; cat end; echo done", ["end"], async (place, attempt, open) => {
    const following = place.start(["attempt-log", attempt, "--stderr", "--follow"])
    expect(await readerOf(following.stdout).until("\n")).toBe("trouble\n")
    following.kill("SIGINT")
    expect(await following.exited).toBe(130)
    await open("end")
  }))

test("a reader that goes away ends --follow quietly with the next output", () =>
  whileRunning("echo first; cat end; echo second", ["end"], async (place, attempt, open) => {
    const line = `"${place.program}" attempt-log ${attempt} --follow | head -n 1; echo "code $\{PIPESTATUS[0]}"`
    const shell = Bun.spawn(["bash", "-c", line], {
      cwd: place.folder,
      env: { PATH: process.env.PATH ?? "", AGENT_RUNTIME_CONFIG: place.path("runtime.json") },
      stdout: "pipe",
      stderr: "pipe"
    })
    const out = readerOf(shell.stdout)
    await out.until("first\n")
    await open("end")
    expect(await out.rest()).toBe("first\ncode 0\n")
    expect(await new Response(shell.stderr).text()).toBe("")
  }))

test("every byte of a long log comes through a pipe; JSON has its last MiB, and tells where a log was cut", () =>
  inPlace(
    scripted(`yes "$(printf '\\377\\033[2J')" | head -c 68000000; printf '\\377\\033[2J the end' >&2`),
    async (place) => {
      const { attempt } = await outcomeOf(place)
      const log = place.path("state/artifacts", attempt.stdout_path ?? "?")
      const compare = `"${place.program}" attempt-log ${attempt.attempt_id} | cmp - "${log}" && echo same`
      const compared = Bun.spawn(["bash", "-c", compare], {
        cwd: place.folder,
        env: { PATH: process.env.PATH ?? "", AGENT_RUNTIME_CONFIG: place.path("runtime.json") },
        stdout: "pipe"
      })
      expect(await new Response(compared.stdout).text()).toBe("same\n")
      const { size } = Bun.file(log)
      const told = await place.json(["attempt-log", attempt.attempt_id, "-o", "json"])
      expect(told).toMatchObject({ stream: "stdout", size, offset: size - 1024 * 1024, truncated: true })
      expect(JSON.stringify(told)).toContain("is cut off here")
      const errors = await place.json(["attempt-log", attempt.attempt_id, "--stderr", "-o", "json"])
      expect(errors).toEqual({
        attempt_id: attempt.attempt_id,
        stream: "stderr",
        offset: 0,
        size: 13,
        truncated: false,
        text: "\ufffd\u001b[2J the end"
      })
      const shown = await place.run(["attempt-log", attempt.attempt_id, "--stderr", "-o", "table"])
      expect(shown.stdout).toStartWith("\ufffd\\e[2J the end")
      expect(shown.stdout).not.toContain("\u001b")
    }
  ))

test("a link in the place of a log is refused and nothing of its target is shown", () =>
  inPlace(scripted("echo done"), async (place) => {
    const { attempt } = await outcomeOf(place)
    const log = place.path("state/artifacts", attempt.stdout_path ?? "?")
    await place.write("secret.txt", "precious")
    unlinkSync(log)
    symlinkSync(place.path("secret.txt"), log)
    for (const more of [[], ["--follow"]]) {
      const told = await place.run(["attempt-log", attempt.attempt_id, "-o", "json", ...more])
      expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 1, stdout: "" })
      expect(errorOf(told).code).toBe("log_unreadable")
      expect(told.stderr).not.toContain("precious")
    }
  }))

test("steps of a script are none; an attempt that is not there and steps of stderr are refused", () =>
  inPlace({}, async (place) => {
    const { attempt, task } = await outcomeOf(place)
    const none = await place.run(["attempt-log", "--steps", attempt.attempt_id])
    expect(JSON.parse(none.stdout)).toEqual({ steps: [] })
    expect(none).toMatchObject({ code: 0, stderr: expect.stringContaining("tells no steps") })
    const lost = await place.run(["attempt-log", task.task_id, "-o", "json"])
    expect({ code: lost.code, stdout: lost.stdout }).toEqual({ code: 1, stdout: "" })
    expect(errorOf(lost)).toMatchObject({
      code: "attempt_not_found",
      hint: expect.stringContaining(`task-show ${task.task_id}`)
    })
    const wrong = await place.run(["attempt-log", attempt.attempt_id, "--steps", "--stderr"])
    expect({ code: wrong.code, stdout: wrong.stdout }).toEqual({ code: 2, stdout: "" })
  }))

test("an attempt that never came to its adapter has nothing to show, and says why", () =>
  inPlace({}, async (place) => {
    const id = await queue(place, { requested_profile: "nobody" })
    await runOnce(place)
    const attempt = (await story(place, id)).attempts[0]!
    for (const more of [[], ["--follow"], ["--stderr"]]) {
      const told = await place.run(["attempt-log", attempt.attempt_id, ...more])
      expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 1, stdout: "" })
      expect(attempt.reason).toStartWith("profile_unknown: ")
      expect(told.stderr).toEndWith("it ended before its adapter wrote one (profile_unknown)\n")
    }
  }))
