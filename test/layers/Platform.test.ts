import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Fiber, Option } from "effect"
import * as Platform from "../../layers/Platform.ts"

setDefaultTimeout(60_000)

const program = [process.execPath, join(import.meta.dir, "..", "support", "sampleCli.ts")]
let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agent-runtime-platform-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const start = (args: ReadonlyArray<string>, stdin: Blob | "ignore" = "ignore") =>
  Bun.spawn([...program, ...args], { stdin, stdout: "pipe", stderr: "pipe", cwd: folder })

/** Reads a stream until it ends, or until the text stands in it. */
const read = async (
  reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> },
  until?: string
) => {
  const decoder = new TextDecoder()
  let seen = ""
  while (until === undefined || !seen.includes(until)) {
    const { value, done } = await reader.read()
    if (done && until !== undefined) throw new Error(`the stream ended before "${until}": ${seen}`)
    if (done) break
    seen += decoder.decode(value, { stream: true })
  }
  return seen
}

const ended = async (child: ReturnType<typeof start>, reader = child.stdout.getReader()) => {
  const [out, err, code] = await Promise.all([read(reader), new Response(child.stderr).text(), child.exited])
  return { out, err, code }
}

const shell = async (script: string) => {
  const child = Bun.spawn(["bash", "-c", script, "bash", ...program], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    cwd: folder
  })
  return ended(child)
}

describe("a program in a pipe", () => {
  test("has written more than 10 MiB to the last byte when it ends, whoever reads late", async () => {
    const child = start(["pour"])
    // The pipe fills while nobody reads: the program must wait, and lose nothing.
    const reader = child.stdout.getReader()
    const first = await read(reader, "[")
    const { out, code } = await ended(child, reader)
    const items = JSON.parse(first + out)
    expect((first + out).length).toBeGreaterThan(10 * 1024 * 1024)
    expect(items).toHaveLength(120_000)
    expect(items.at(-1)).toEqual({ at: 119_999, text: "x".repeat(64) })
    expect(code).toBe(0)
  })

  test("ends quietly when its reader goes away", async () => {
    for (const command of ["pour", "follow", "task-list", "--help"])
      expect(await shell(`"$@" ${command} | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`)).toEqual({
        out: "0\n",
        err: "",
        code: 0
      })
  })

  test("says that the disk behind stdout is full", async () => {
    const { err, out } = await shell('"$@" task-list > /dev/full; echo $?')
    expect(out).toBe("1\n")
    expect(err).toBe(
      "agent-runtime: the result cannot be written to stdout (ENOSPC)\nFree space where stdout goes to. What was asked for may be done: look before it is asked for again.\n"
    )
  })

  test("says that stdout is closed, which one that goes to /dev/null is not", async () => {
    const { err, out } = await shell(
      '"$@" task-list >&-; echo $? >&2; "$@" task-list <&- > /dev/null; echo $?'
    )
    expect(err).toStartWith("agent-runtime: the result cannot be written to stdout (EBADF)\n")
    expect(err).toEndWith("\n1\n")
    expect(out).toBe("0\n")
    const command = [...program, "task-list"]
    // A parent that gives /dev/null for reading and writing.
    expect(await Bun.spawn(command, { stdin: "ignore", stdout: "ignore", cwd: folder }).exited).toBe(0)
  })

  test("works on when stderr is closed", async () => {
    const { out } = await shell('"$@" task-show missing 2>&-; echo $?')
    expect(out).toBe("1\n")
  })

  test("waits for a pipe that another process made non-blocking", async () => {
    const setNonBlocking =
      'require("bun:ffi").dlopen("libc.so.6", { fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } }).symbols.fcntl(1, 4, 0o4001)'
    const script = `"$1" -e '${setNonBlocking}'; "$@" pour`
    const { out, err, code } = await shell(script)
    expect({ err, code }).toEqual({ err: "", code: 0 })
    expect(JSON.parse(out)).toHaveLength(120_000)
  })
})

describe("a program reads", () => {
  test("stdin to its end", async () => {
    const text = JSON.stringify({ big: "y".repeat(3_000_000) })
    const { out, code } = await ended(start(["intake", "-"], new Blob([text])))
    expect(code).toBe(0)
    expect(JSON.parse(out).document.big).toHaveLength(3_000_000)
  })

  test("an empty and a closed stdin as errors", async () => {
    expect((await ended(start(["intake", "-"]))).code).toBe(2)
    const { out, err } = await shell('"$@" intake - <&-; echo $?')
    expect(out).toBe("2\n")
    expect(err).toStartWith("agent-runtime: stdin")
  })

  test("a file, and a pipe in the place of one", async () => {
    await writeFile(join(folder, "a.json"), '{"a":1}')
    expect(JSON.parse((await ended(start(["intake", "--file", "a.json"]))).out)).toEqual({
      document: { a: 1 }
    })
    const { out } = await shell(`"$@" intake --file <(echo '{"b":2}')`)
    expect(JSON.parse(out)).toEqual({ document: { b: 2 } })
  })

  test("no folder, no file that is not there, nothing that has no end", async () => {
    const complaint = async (path: string) => (await ended(start(["intake", "--file", path]))).err
    expect(await complaint(folder)).toContain("it is a folder")
    expect(await complaint("nope.json")).toContain("there is no such file")
    expect(await complaint("a.json/b")).toContain("there is no such file")
    expect(await complaint("/dev/zero")).toContain("it is larger than 64 MiB")
  })

  test("files of at most the given size, telling the size of others", async () => {
    await writeFile(join(folder, "ten"), "0123456789")
    const terminal = Platform.terminal()
    expect(await Effect.runPromise(terminal.readFile(join(folder, "ten"), 10))).toMatchObject({
      _tag: "Bytes"
    })
    expect(await Effect.runPromise(terminal.readFile(join(folder, "ten"), 9))).toEqual({
      _tag: "Unreadable",
      why: "too_large",
      detail: "10 bytes"
    })
  })
})

/** Opens a pipe to write as soon as somebody has come to read it. */
const whenOpened = async (pipe: string): Promise<number> => {
  for (;;) {
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch {
      await Bun.sleep(1)
    }
  }
}

test("who waits for the writer of a pipe can be interrupted, and leaves nothing open", async () => {
  const pipe = join(folder, "nobody-writes")
  Bun.spawnSync(["mkfifo", pipe])
  const { readFile } = Platform.terminal()
  const stopped = await Effect.runPromise(
    Effect.gen(function* () {
      const reading = yield* Effect.fork(readFile(pipe, 10))
      yield* Effect.yieldNow()
      return yield* Effect.timeoutOption(Effect.disconnect(Fiber.interrupt(reading)), "2 seconds")
    })
  )
  // The writer that comes too late finds nobody who would read on.
  expect(Option.isSome(stopped)).toBe(true)
  const fd = await whenOpened(pipe)
  const isRead = () => {
    try {
      return writeSync(fd, "x") > 0
    } catch {
      return false
    }
  }
  while (isRead()) await Bun.sleep(1)
  closeSync(fd)
})

describe("a program that gets a signal", () => {
  for (const [command, signal, code] of [
    ["wait", "SIGINT", 130],
    ["wait", "SIGTERM", 143],
    ["serve", "SIGTERM", 0],
    ["serve", "SIGINT", 0]
  ] as const)
    test(`${command} runs its finalizers and exits ${code} by ${signal}`, async () => {
      const child = start([command])
      const reader = child.stdout.getReader()
      await read(reader, "ready")
      child.kill(signal)
      const { out, err, code: exit } = await ended(child, reader)
      expect(out).toContain("released")
      expect(exit).toBe(code)
      expect(err.includes("waiting")).toBe(command === "serve")
    })

  test("ends though nobody reads its output", async () => {
    const child = start(["follow"])
    await read(child.stdout.getReader(), "line")
    child.kill("SIGTERM")
    expect(await child.exited).toBe(0)
  })
})

describe("a program that runs on while nobody reads its stderr", () => {
  type Line = { readonly level: string; readonly message: string }
  const linesOf = (text: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line): Line => JSON.parse(line))
  const numbers = (lines: ReadonlyArray<Line>) =>
    lines.map(({ message }) => Number.parseInt(message, 10)).filter(Number.isInteger)

  test("works on, and ends by a signal with the lines that a pipe takes", async () => {
    const child = start(["chatter"])
    await read(child.stdout.getReader(), "logged")
    child.kill("SIGTERM")
    expect(await child.exited).toBe(0)
    const told = numbers(linesOf(await new Response(child.stderr).text()))
    expect(told.length).toBeGreaterThan(100)
    expect(told).toEqual(told.map((_, at) => at))
  })

  test("goes on with its lines once they are read, and tells how many are missing", async () => {
    const child = start(["chatter"])
    await read(child.stdout.getReader(), "logged")
    const reader = child.stderr.getReader()
    const before = await read(reader, "not here")
    child.kill("SIGTERM")
    const lines = linesOf(before + (await read(reader)))
    expect(await child.exited).toBe(0)
    const told = numbers(lines)
    expect(told).toEqual(told.map((_, at) => at))
    const gap = `Lines that are not here, as nobody read them: ${6000 - told.length}; runtime.jsonl has those from info on`
    expect(told.length).toBeLessThan(6000)
    expect(lines.slice(-2)).toMatchObject([{ level: "warn", message: gap }, { message: "last" }])
  })

  test("has told every line in order when it ends, where somebody reads", async () => {
    const child = start(["chatter", "--lines", "2000"])
    const told = new Response(child.stderr).text()
    await read(child.stdout.getReader(), "logged")
    child.kill("SIGTERM")
    expect(await child.exited).toBe(0)
    const lines = linesOf(await told)
    expect(numbers(lines)).toEqual(Array.from({ length: 2000 }, (_, at) => at))
    expect(lines.at(-1)).toMatchObject({ message: "last" })
  })
})

test("stderr is the journal's only where it is the very stream that systemd named", () => {
  const { dev, ino } = fstatSync(2, { bigint: true })
  const told = (stream: string) => {
    process.env.JOURNAL_STREAM = stream
    return Platform.terminal().stderrIsJournal
  }
  const before = process.env.JOURNAL_STREAM
  try {
    expect(told(`${dev}:${ino}`)).toBe(true)
    // A child of a unit whose stderr goes elsewhere inherits the variable.
    for (const other of [`${dev}:${ino + 1n}`, "", "8:x"]) expect(told(other)).toBe(false)
  } finally {
    if (before === undefined) delete process.env.JOURNAL_STREAM
    else process.env.JOURNAL_STREAM = before
  }
})
