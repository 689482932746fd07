import { expect } from "bun:test"
import { Deferred, Effect, Option } from "effect"
import { type Asked, makeAbilities } from "../../../layers/adapter/Abilities.ts"
import type { Ended, Launch } from "../../../layers/adapter/Process.ts"
import type { StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import { TaskId } from "../../../src/domain/Ids.ts"
import { noAudit } from "../../support/audits.ts"
import { shellDriver } from "../../support/children/agent.ts"
import { newAttempt } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

const asked = Effect.map(
  Deferred.make<StopReason>(),
  (stop): Asked => ({
    file: "/bin/agent",
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

it.effect("a program is asked once, with its own environment and ten seconds to answer", () =>
  Effect.gen(function* () {
    const { launches, processes } = printing([])
    const abilities = yield* makeAbilities(driver, processes)
    const answers = yield* Effect.all([abilities(yield* asked), abilities(yield* asked)], {
      concurrency: "unbounded"
    })
    expect(answers.map((answer) => [...answer.abilities])).toEqual([["fly"], ["fly"]])
    expect(launches).toHaveLength(1)
    expect(launches[0]).toMatchObject({
      file: "/bin/agent",
      args: ["--help"],
      env: { A: "1" },
      timeoutMs: 10_000
    })
  })
)

it.effect("a program that gave no answer is asked again", () =>
  Effect.gen(function* () {
    const { launches, processes } = printing([
      { _tag: "TimedOut", afterMs: 10_000 },
      { _tag: "Exited", code: 1 }
    ])
    const abilities = yield* makeAbilities(driver, processes)
    const notes: Array<string> = []
    for (let turn = 0; turn < 4; turn++) {
      const found = yield* abilities(yield* asked)
      notes.push(Option.getOrElse(found.note, () => [...found.abilities].join()))
    }
    expect(notes).toEqual([
      expect.stringMatching(/--help was ended \(TimedOut\)$/),
      expect.stringMatching(/--help ended with exit code 1$/),
      "fly",
      "fly"
    ])
    expect(launches).toHaveLength(3)
  })
)
