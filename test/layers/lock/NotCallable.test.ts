import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const LOCK = JSON.stringify(join(import.meta.dir, "../../../layers/lock/KernelLock.ts"))
const EFFECT = JSON.stringify(join(import.meta.dir, "../../../node_modules/effect"))

test("where no C library can be called the lock says that, and does not blame the file or its folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "agent-runtime-lock-"))
  const script = `
    const { make } = await import(${LOCK})
    const { Effect } = await import(${EFFECT})
    const held = Effect.flatMap(make, (lock) => lock.hold(process.argv.at(-1), "vm:1:x")(Effect.void))
    console.log(JSON.stringify(await Effect.runPromise(Effect.flip(held))))`
  // As a process with too little address space begins.
  const env = { ...process.env, BUN_JSC_useJIT: "0" }
  const child = Bun.spawn([process.execPath, "-e", script, join(folder, "dispatch.lock")], {
    env,
    stdout: "pipe",
    stderr: "inherit"
  })
  const said = JSON.parse(await new Response(child.stdout).text())
  expect(said.reason).toBe(
    "no file can be locked, as the C library cannot be called (executable memory is denied to this process)"
  )
  expect(said.remedy).toContain("address space")
  expect(said.remedy).toContain("MemoryDenyWriteExecute=")
  expect(said.remedy).not.toContain("folder")
  rmSync(folder, { recursive: true, force: true })
})
