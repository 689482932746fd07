import { mkdir, rm, statfs, writeFile } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { type Fault, type Round, type Rounded, struck } from "../Fault.ts"
import { between, pick } from "../Random.ts"
import { Scene } from "../Scene.ts"

const strace = (calls: string, how: string) => ({
  // The tracer is a grandchild (-D): signals and exit codes are those of the command itself.
  under: [
    "strace",
    "-D",
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    `trace=${calls}`,
    "-e",
    `inject=${calls}:${how}`
  ]
})

/** Commands meet an error of the disk: they answer and it holds, or they say why not. */
const command = async (
  { keepAs, random }: Round,
  under: { readonly under: ReadonlyArray<string> }
): Promise<Rounded> => {
  const scene = await Scene.make(":", { config: { maxAttempts: 1_000 } })
  let violations: ReadonlyArray<string> = []
  try {
    if (random() < 0.7) await scene.queue(1)
    await scene.intake("meets the fault", under)
    await scene.runOnce(under)
    await scene.run(["snapshot"], under)
    violations = [...scene.check({ atRest: false }), ...(await scene.rest())]
    return { strikes: 3, violations }
  } finally {
    await scene.end(violations.length > 0 ? keepAs : undefined)
  }
}

/** What changes files, beside `write`, which children and sockets need as well. */
const CHANGES =
  "pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,unlink,unlinkat"

/** A dispatcher at work is refused some calls for a while, and completes all there is, without being begun anew. */
const forAWhile = async (
  { keepAs, random }: Round,
  calls: string,
  errors: ReadonlyArray<string>
): Promise<Rounded> => {
  const scene = await Scene.make("sleep 0.05", { config: { maxAttempts: 1_000 } })
  let violations: ReadonlyArray<string> = []
  try {
    await scene.queue(3)
    const dispatcher = scene.dispatch()
    // One that begins on such a disk says so and ends; this one is at work.
    await dispatcher.says(/"Dispatching/)
    await pause(between(random, 0, 1_200))
    const how = `inject=${calls}:error=${pick(random, errors)}`
    const tracer = Bun.spawn(
      [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-p",
        `${dispatcher.pid}`,
        "-e",
        `trace=${calls}`,
        "-e",
        how
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "ignore" }
    )
    await pause(between(random, 200, 2_500))
    // Others are well meanwhile, and queue.
    await scene.queue(1)
    tracer.kill("SIGINT")
    await tracer.exited
    await scene.queue(1)
    const late = await scene.completes(dispatcher, 5)
    await dispatcher.end("SIGTERM")
    violations = [...late, ...(await scene.rest())]
    return struck(violations)
  } finally {
    await scene.end(violations.length > 0 ? keepAs : undefined)
  }
}

/**
 * Whatever a dispatcher changes on the disk is refused, as by one that was remounted read-only (a real remount is
 * refused while a database is open), that fails or that is full; then all is well again.
 */
const refusedForAWhile = (name: string, errors: ReadonlyArray<string>, found: string): Fault => ({
  name,
  needs: ["strace"],
  rounds: 16,
  sample: [],
  found,
  round: (round) => forAWhile(round, CHANGES, errors)
})

export const readOnlyForAWhile = refusedForAWhile(
  "read-only for a while under a resident dispatcher",
  ["EROFS"],
  "a temporary file that could not be removed hid the disk's error behind a fault of ours, with a stack; now the disk's error is told"
)
export const diskFailsForAWhile = refusedForAWhile(
  "a disk that fails for a while under a resident dispatcher",
  ["EIO", "ENOSPC"],
  "the log told a store that could not be written with a stack and paths of the build; now in the words of the failure"
)

/** A fifth of the rounds is for a dispatcher at work, the others for commands that meet the error at any call. */
const errorOf = (name: string, calls: string, errors: ReadonlyArray<string>): Fault => ({
  name,
  needs: ["strace"],
  rounds: 25,
  sample: [0],
  found: "",
  round: (round) =>
    round.number % 5 === 1
      ? forAWhile(round, calls, errors)
      : command(
          round,
          strace(calls, `error=${pick(round.random, errors)}:when=${between(round.random, 1, 12)}+`)
        )
})

export const fsyncFails = errorOf("failing fsync", "fsync,fdatasync", ["EIO"])
export const writesFail = errorOf("failing writes of the database", "pwrite64", ["EIO", "ENOSPC", "EROFS"])

/** A state folder on a disk of its own that is full, or read-only between two commands, for a while. */
const onDisk = async (
  { keepAs, random }: Round,
  during: (scene: Scene, random: () => number) => Promise<void>
): Promise<Rounded> => {
  const scene = await Scene.make(":", { config: { maxAttempts: 1_000 } })
  let violations: ReadonlyArray<string> = []
  await mkdir(scene.place.state)
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4096k", "tmpfs", scene.place.state])
  try {
    if (!mounted.success) return struck([`the disk could not be made: ${mounted.stderr}`])
    await scene.queue(2)
    await during(scene, random)
    violations = await scene.rest()
    return struck(violations)
  } finally {
    await scene.end(violations.length > 0 ? keepAs : undefined).catch(() => undefined)
    Bun.spawnSync(["umount", "-l", scene.place.state])
    await scene.end()
  }
}

export const diskFull: Fault = {
  name: "disk full under a resident dispatcher",
  needs: ["tmpfs"],
  rounds: 12,
  // test/e2e/diskFull.test.ts is the sample.
  sample: [],
  found: "",
  round: (round) =>
    onDisk(round, async (scene, random) => {
      const dispatcher = scene.dispatch()
      // One that begins on a full disk says so and ends; this one is at work.
      while ((await scene.counts()).completed !== 2) await pause(20)
      await scene.queue(between(random, 0, 2))
      const { bavail, bsize } = await statfs(scene.place.state)
      const free = between(random, 0, 64) * 1024
      await writeFile(
        scene.place.path("state", "fill"),
        Buffer.alloc(Math.max(0, bavail * bsize - free))
      ).catch(() => undefined)
      await scene.intake("on a full disk")
      await pause(between(random, 50, 800))
      await rm(scene.place.path("state", "fill"))
      await scene.queue(1)
      await pause(100)
      const alive = dispatcher.isAlive()
      const { code, stderr } = await dispatcher.end("SIGTERM")
      if (!alive) throw new Error(`the dispatcher ended on a full disk with ${code}: ${stderr.slice(-400)}`)
    })
}

export const readOnly: Fault = {
  name: "read-only remount between commands",
  needs: ["tmpfs"],
  rounds: 6,
  sample: [0],
  found: "",
  round: (round) =>
    onDisk(round, async (scene) => {
      const remount = (how: string) => Bun.spawnSync(["mount", "-o", `remount,${how}`, scene.place.state])
      if (!remount("ro").success) throw new Error("the disk could not be remounted")
      for (const args of [["status"], ["task-list"], ["run-once"], ["pause"], ["healthcheck"]])
        await scene.run(args)
      await scene.intake("on a read-only disk")
      remount("rw")
      await scene.queue(1)
    })
}
