import { expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { Effect, Exit, Option } from "effect"
import { kernelPipes } from "../../../layers/adapter/KernelPipe.ts"
import { makeLeashes } from "../../../layers/adapter/Leash.ts"
import { makePipes, type Pipe } from "../../../layers/adapter/Pipe.ts"
import { processFacts, processTable } from "../../../layers/adapter/ProcTable.ts"
import { type Start, spawnChild } from "../../../layers/adapter/Spawn.ts"
import { unreadable } from "../../../layers/adapter/Unreadable.ts"
import { AttemptId } from "../../../src/domain/Ids.ts"
import { starved } from "../../support/starved.ts"

const start: Start = {
  attemptId: AttemptId.make("01900000-0000-7000-8000-000000000001"),
  file: "/bin/true",
  args: [],
  cwd: "/",
  env: {},
  stdin: new Uint8Array()
}

const subreaper = {
  missing: Option.none(),
  reap: () => undefined,
  branding: <A>(_: bigint, run: () => A) => run()
}

const open = () => readdirSync("/proc/self/fd").length

test("a pipe for which there is no descriptor is the host's lack of room, which passes", () => {
  const kernel = kernelPipes()
  const launcher = { ...kernel, subreaper, pipes: makePipes(kernel), leashes: makeLeashes(kernel) }
  const exit = starved(() => Effect.runSyncExit(spawnChild(start, launcher)))
  expect(Exit.isFailure(exit) && exit.cause).toMatchObject({
    error: {
      passing: true,
      reason: expect.stringContaining("(EMFILE)"),
      remedy: expect.stringContaining("LimitNOFILE")
    }
  })
})

for (const room of [0, 1])
  test(`neither leash, pipe nor input stays open where there is room for ${room} of two pipes`, () => {
    const kernel = kernelPipes()
    const pipes = makePipes(kernel)
    const before = open()
    let asked = 0
    const few = (): Pipe => {
      if (asked++ === room) throw Object.assign(new Error("none"), { code: "EMFILE" })
      return pipes()
    }
    const launcher = { ...kernel, subreaper, pipes: few, leashes: makeLeashes(kernel) }
    expect(Exit.isFailure(Effect.runSyncExit(spawnChild(start, launcher)))).toBe(true)
    expect(open()).toBe(before)
  })

test("what a child is given to read is closed here once it has it, whoever collects the child later", async () => {
  const kernel = kernelPipes()
  const launcher = { ...kernel, subreaper, pipes: makePipes(kernel), leashes: makeLeashes(kernel) }
  const input = Buffer.from("世".repeat(200_000))
  // The first look at a process of all keeps a descriptor for later ones, which no child's start is to blame for.
  processFacts(process.pid)
  const before = open()
  for (let times = 0; times < 5; times++) {
    const spawned = Effect.runSync(
      spawnChild({ ...start, file: "/usr/bin/wc", args: ["-c"], stdin: input }, launcher)
    )
    await spawned.child.exited
    let said = ""
    spawned.stdout.takeNow((chunk) => (said += Buffer.from(chunk)))
    expect(said.trim()).toBe("600000")
    spawned.letGo()
  }
  expect(open()).toBe(before)
})

test("a file of secrets that cannot be opened for want of room is told as that", () => {
  const cause = Object.assign(new Error(), { code: "ENFILE" })
  const said = unreadable("env file", "/s/a.env", cause, "make it")
  expect(said.passing).toBe(true)
  expect(said.remedy).toContain("LimitNOFILE")
})

test("processes are looked at when no descriptor is left: one that is not seen would pass for one that is gone", () => {
  expect(processTable().has(process.pid)).toBe(true)
  const [table, own] = starved(() => [processTable(), processFacts(process.pid)])
  expect(table.has(process.pid)).toBe(true)
  expect(own?.pid).toBe(process.pid)
})
