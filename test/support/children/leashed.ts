import { kernelPipes } from "../../../layers/adapter/KernelPipe.ts"
import { makeLeashes } from "../../../layers/adapter/Leash.ts"

/** A group of two that ignore whatever can be ignored; answered once both are there. */
export const group = async () => {
  const child = Bun.spawn(["sh", "-c", "trap '' HUP INT TERM IO; sleep 300 & echo $!; wait"], {
    detached: true,
    stdin: "ignore",
    stdout: "pipe"
  })
  const { value } = await child.stdout.getReader().read()
  return { child, second: Number(Buffer.from(value ?? []).toString()) }
}

/** The holder of a leash, to be killed: prints the two pids of its group. */
if (import.meta.main) {
  const leash = makeLeashes(kernelPipes())()
  const { child, second } = await group()
  leash.tie(child.pid)
  process.stdout.write(JSON.stringify([child.pid, second]))
  await Bun.sleep(60_000)
}
