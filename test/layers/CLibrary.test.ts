import { expect, test } from "bun:test"
import { join } from "node:path"

const at = (path: string) => JSON.stringify(join(import.meta.dir, "../..", path))

/** Runs a program where no executable memory is granted. */
const starved = async (program: string): Promise<unknown> => {
  const child = Bun.spawn([process.execPath, "-e", program], {
    env: { ...process.env, BUN_JSC_useJIT: "0", NOTIFY_SOCKET: "/nowhere/notify" },
    stdout: "pipe",
    stderr: "inherit"
  })
  return JSON.parse((await new Response(child.stdout).text()).trim().split("\n").at(-1) ?? "")
}

const DENIED = "the C library cannot be called (executable memory is denied to this process)"

test("where executable memory is denied whoever starts no child gets on, and a child's start says what is denied", async () => {
  const said = await starved(`
    const { Effect } = await import(${at("node_modules/effect")})
    const { kernelPipes } = await import(${at("layers/adapter/KernelPipe.ts")})
    const { spawnChild } = await import(${at("layers/adapter/Spawn.ts")})
    const start = { attemptId: "a", file: "/bin/true", args: [], cwd: "/", env: {}, stdin: new Uint8Array() }
    // What every command that could start a child opens.
    const { open } = kernelPipes()
    const child = spawnChild(start, { leashes: () => ({ loosen: () => {} }), pipes: open })
    const { reason, remedy } = await Effect.runPromise(Effect.flip(child))
    console.log(JSON.stringify({ reason, remedy }))`)
  expect(said).toEqual({
    reason: `/bin/true cannot be started: ${DENIED}`,
    remedy: expect.stringContaining("MemoryDenyWriteExecute=")
  })
})

test("where executable memory is denied a service manager is not told, which holds nothing up", async () => {
  const said = await starved(`
    const { Effect, Logger } = await import(${at("node_modules/effect")})
    const { Notify } = await import(${at("src/dispatch/Notify.ts")})
    const SystemdNotify = await import(${at("layers/notify/SystemdNotify.ts")})
    const warnings = []
    const kept = Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => warnings.push(String(message))))
    const ready = Effect.flatMap(Notify, (notify) => notify.ready)
    await Effect.runPromise(ready.pipe(Effect.provide(SystemdNotify.layer), Effect.provide(kept)))
    console.log(JSON.stringify(warnings))`)
  expect(said).toEqual([expect.stringContaining(DENIED)])
})
