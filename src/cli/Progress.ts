import { Clock, Effect } from "effect"
import { Terminal } from "./Terminal.ts"

/** What ends sooner is not told of. */
const FIRST_MS = 1_000
const EACH_MS = 250
/** Back to the line's beginning, and what stands there erased (ECMA-48: CR, EL). */
const AFRESH = "\r\u001b[K"

/**
 * Runs a program that tells how far it is, and shows that to a person in one line of stderr, once it takes longer
 * than a second; the line is gone when the program ends. Where stderr is no terminal nothing is shown.
 */
export const telling = <N, A, E, R>(
  sentence: (progress: N) => string,
  program: (tell: (progress: N) => Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Terminal> =>
  Effect.gen(function* () {
    const { report, stderrIsTerminal } = yield* Terminal
    if (!stderrIsTerminal) return yield* program(() => Effect.void)
    const began = yield* Clock.currentTimeMillis
    let due = began + FIRST_MS
    const tell = (progress: N) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        if (at < due) return
        due = at + EACH_MS
        report(`${AFRESH}${sentence(progress)}`)
      })
    const erase = Effect.sync(() => {
      if (due > began + FIRST_MS) report(AFRESH)
    })
    return yield* Effect.ensuring(program(tell), erase)
  })

/** As `telling`, for a program that cannot tell how far it is: what it does and for how many seconds. */
export const ticking = <A, E, R>(
  doing: string,
  program: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Terminal> =>
  telling(
    (seconds: number) => `${doing} (${seconds} s)`,
    (tell) =>
      Effect.scoped(
        Effect.zipRight(
          Effect.forkScoped(
            Effect.iterate(1, {
              while: () => true,
              body: (seconds) => Effect.as(Effect.delay(tell(seconds), FIRST_MS), seconds + 1)
            })
          ),
          program
        )
      )
  )
