import { expect } from "bun:test"
import { rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Option } from "effect"
import { type Asked, makeAbilities } from "../../../layers/adapter/Abilities.ts"
import type { Ended, Launch } from "../../../layers/adapter/Process.ts"
import type { StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import { TaskId } from "../../../src/domain/Ids.ts"
import { noAudit } from "../../support/audits.ts"
import { shellDriver } from "../../support/children/agent.ts"
import { newAttempt, temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

const askedOf = (file: string) =>
  Effect.map(
    Deferred.make<StopReason>(),
    (stop): Asked => ({
      file,
      cwd: "/",
      env: { A: "1" },
      job: {
        taskId: TaskId.make("t"),
        attemptId: newAttempt(),
        prompt: "",
        payload: {},
        args: [],
        model: Option.none(),
        untrusted: false,
        withheld: [],
        bundlePath: "",
        promptPath: "",
        audit: noAudit,
        traceParent: Option.none(),
        stop,
        started: () => Effect.void
      }
    })
  )

/** Processes that print `agent can fly` and end like this, by turns; with what they were started with. */
const printing = (endings: ReadonlyArray<Ended["ending"]>) => {
  const launches: Array<Launch> = []
  const run = (launch: Launch) =>
    Effect.sync((): Ended => {
      launches.push(launch)
      launch.stderr.write(Buffer.from("fly"))
      const ending = endings[launches.length - 1] ?? { _tag: "Exited", code: 0 }
      return { ending, survivors: [], drained: true }
    })
  return { launches, processes: { run } }
}

const driver = shellDriver("", {
  examine: Option.some({ args: ["--help"], abilities: (output) => new Set([output]) })
})

const abilitiesOf = (processes: ReturnType<typeof printing>["processes"]) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const file = join(folder, "agent")
    writeFileSync(file, "one")
    const abilities = yield* makeAbilities(driver, processes)
    const ask = Effect.flatMap(askedOf(file), abilities.of)
    return { ask, file, folder, forget: abilities.forget }
  })

it.effect("a program is asked once, with its own environment and ten seconds to answer", () =>
  Effect.gen(function* () {
    const { launches, processes } = printing([])
    const { ask, file } = yield* abilitiesOf(processes)
    const answers = yield* Effect.all([ask, ask], { concurrency: "unbounded" })
    expect(answers.map((answer) => [...answer])).toEqual([["fly"], ["fly"]])
    expect(launches).toHaveLength(1)
    expect(launches[0]).toMatchObject({ file, args: ["--help"], env: { A: "1" }, timeoutMs: 10_000 })
  })
)

it.effect("a program that gave no answer is none without abilities, and is asked again", () =>
  Effect.gen(function* () {
    const endings: ReadonlyArray<Ended["ending"]> = [
      { _tag: "TimedOut", afterMs: 10_000 },
      { _tag: "Exited", code: 1 },
      { _tag: "Stopped", reason: "drain" }
    ]
    const { launches, processes } = printing(endings)
    const { ask } = yield* abilitiesOf(processes)
    for (const ending of endings)
      expect(yield* Effect.flip(ask)).toMatchObject({
        _tag: "Unexamined",
        question: "--help",
        ended: { ending }
      })
    for (let turn = 0; turn < 2; turn++) expect([...(yield* ask)]).toEqual(["fly"])
    expect(launches).toHaveLength(4)
  })
)

it.effect("a program is asked again when its file is another, behind a link too, and when it is to be", () =>
  Effect.gen(function* () {
    const { launches, processes } = printing([])
    const { ask, file, folder, forget } = yield* abilitiesOf(processes)
    const times = Effect.map(Effect.zipRight(ask, ask), () => launches.length)
    expect(yield* times).toBe(1)
    writeFileSync(file, "longer")
    expect(yield* times).toBe(2)
    const other = join(folder, "v2")
    writeFileSync(other, "longer")
    rmSync(file)
    symlinkSync(other, file)
    expect(yield* times).toBe(3)
    yield* forget
    expect(yield* times).toBe(4)
    rmSync(other)
    // What cannot be told from another version is asked each time.
    expect(yield* times).toBe(6)
  })
)
