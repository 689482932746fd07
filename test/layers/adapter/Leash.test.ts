import { afterAll, describe, expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { kernelPipes } from "../../../layers/adapter/KernelPipe.ts"
import { makeLeashes } from "../../../layers/adapter/Leash.ts"
import { processFacts } from "../../../layers/adapter/ProcTable.ts"
import { group } from "../../support/children/leashed.ts"
import { child } from "../../support/children/support.ts"

const started: Array<number> = []
afterAll(() => {
  for (const pid of started) if (alive(pid)) process.kill(pid, "SIGKILL")
})

const alive = (pid: number): boolean => processFacts(pid)?.alive ?? false

const goneSoon = async (pid: number) => {
  const until = performance.now() + 5_000
  while (alive(pid) && performance.now() < until) await Bun.sleep(1)
  return !alive(pid)
}

describe("a leash", () => {
  test("that is cut by the end of its holder ends the whole group", async () => {
    const holder = Bun.spawn([process.execPath, child("leashed.ts")], { stdin: "ignore", stdout: "pipe" })
    started.push(holder.pid)
    const { value } = await holder.stdout.getReader().read()
    const pids: [number, number] = JSON.parse(Buffer.from(value ?? []).toString())
    started.push(...pids)
    expect(pids.map(alive)).toEqual([true, true])
    holder.kill("SIGKILL")
    expect(await Promise.all(pids.map(goneSoon))).toEqual([true, true])
  })

  test("that is loosened ends nobody and leaves nothing open", async () => {
    const leashes = makeLeashes(kernelPipes())
    const tied = await group()
    const pids = [tied.child.pid, tied.second]
    started.push(...pids)
    const before = readdirSync("/proc/self/fd").length
    const leash = leashes()
    leash.tie(tied.child.pid)
    expect(readdirSync("/proc/self/fd").length).toBe(before + 2)
    leash.loosen()
    expect(readdirSync("/proc/self/fd").length).toBe(before)
    expect(pids.map(alive)).toEqual([true, true])
  })
})
