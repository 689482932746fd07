import { describe, expect, test } from "bun:test"
import { Effect, Option } from "effect"
import * as Host from "../../layers/Host.ts"
import { Runner } from "../../src/dispatch/Runner.ts"
import { RunnerId } from "../../src/domain/Ids.ts"
import type { OpenRunner } from "../../src/store/Runners.ts"

const onHost = <A>(body: (runner: Runner["Type"]) => Effect.Effect<A>): Promise<A> =>
  Effect.runPromise(Effect.provide(Effect.flatMap(Runner, body), Host.runner))

/** Another process, as it would be on record if it dispatched. */
const other = async (body: (record: OpenRunner, end: () => Promise<void>) => Promise<void>) => {
  const source = `
    import { Effect } from "effect"
    import * as Host from "${import.meta.dir}/../../layers/Host.ts"
    import { Runner } from "${import.meta.dir}/../../src/dispatch/Runner.ts"
    const runner = await Effect.runPromise(Effect.provide(Runner, Host.runner))
    console.log(JSON.stringify({ ...runner, processMark: runner.processMark.value }))
    setInterval(() => {}, 1000)`
  const child = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe", stderr: "inherit" })
  try {
    const { value } = await child.stdout.pipeThrough(new TextDecoderStream()).getReader().read()
    const told = JSON.parse(value ?? "")
    const record: OpenRunner = {
      mode: "dispatch",
      runnerId: RunnerId.make(told.runnerId),
      host: told.host,
      pid: told.pid,
      processMark: Option.some(told.processMark),
      lockPath: "/lock"
    }
    await body(record, async () => {
      child.kill("SIGKILL")
      await child.exited
    })
  } finally {
    child.kill("SIGKILL")
    await child.exited
  }
}

describe("a runner on record", () => {
  test("lives as long as its very process does", () =>
    other(async (record, end) => {
      const lives = (of: OpenRunner) => onHost((runner) => runner.lives(of))
      expect(await lives(record)).toBe(true)
      // Another process has its pid, it is of another boot or container, of another host, or nothing is known of it.
      const mark = Option.getOrThrow(record.processMark)
      expect(await lives({ ...record, processMark: Option.some(`1${mark}`) })).toBe(false)
      expect(await lives({ ...record, processMark: Option.some(mark.replace("@", "@f")) })).toBe(false)
      expect(await lives({ ...record, processMark: Option.some(mark.replace("[", "[1")) })).toBe(false)
      expect(await lives({ ...record, processMark: Option.none() })).toBe(false)
      expect(await lives({ ...record, host: `${record.host}-2` })).toBe(false)
      await end()
      expect(await lives(record)).toBe(false)
    }))

  test("is gone beyond doubt when it is of another boot, or its process is none of this container's", () =>
    other(async (record, end) => {
      const gone = (of: OpenRunner) => onHost((runner) => runner.isGone(of))
      const mark = Option.getOrThrow(record.processMark)
      const marked = (to: string) => ({ ...record, processMark: Option.some(to) })
      expect(await gone(record)).toBe(false)
      expect(await gone({ ...record, host: `${record.host}-2` })).toBe(false)
      expect(await gone(marked(`1${mark}`))).toBe(true)
      expect(await gone(marked(mark.replace("@", "@f")))).toBe(true)
      // Of another container nothing is seen, and of one without a mark nothing is known.
      expect(await gone(marked(mark.replace("[", "[1")))).toBe(false)
      expect(await gone(marked("no mark"))).toBe(false)
      expect(await gone({ ...record, processMark: Option.none() })).toBe(false)
      await end()
      expect(await gone(record)).toBe(true)
      expect(await gone({ ...record, host: `${record.host}-2` })).toBe(true)
      expect(await gone(marked(mark.replace("[", "[1")))).toBe(false)
    }))

  test("is never this process itself, which has a record of its own", async () => {
    const own = await onHost((runner) => Effect.succeed(runner))
    expect(Option.isSome(own.processMark)).toBe(true)
    const earlier = {
      ...own,
      runnerId: RunnerId.make("earlier:1:then"),
      mode: "dispatch" as const,
      lockPath: "/lock"
    }
    expect(await onHost((runner) => runner.lives(earlier))).toBe(false)
  })
})
