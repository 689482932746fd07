import { Context, DateTime, Effect, Option } from "effect"
import type { Actor, Stamp } from "../domain/Actor.ts"
import type { RunnerId } from "../domain/Ids.ts"
import { now } from "../domain/Time.ts"
import type { OpenRunner } from "../store/Runners.ts"

/** This process as a dispatcher. */
export class Runner extends Context.Tag("agent-runtime/Runner")<
  Runner,
  {
    readonly runnerId: RunnerId
    readonly host: string
    readonly pid: number
    /** What tells this process from every other one that has or had its pid; none where the kernel does not tell. */
    readonly processMark: Option.Option<string>
    /**
     * Whether the process of a runner on record lives, beyond doubt: not where another process may have its pid, nor on
     * another host or in another container, of which nothing can be seen from here.
     */
    readonly lives: (runner: OpenRunner) => Effect.Effect<boolean>
    /**
     * Whether the process of a runner on record is gone, beyond doubt: it ran before this boot (a database of this kind
     * is shared within one), or its pid is nobody's or another one's by now. Not where it ran in another container.
     */
    readonly isGone: (runner: OpenRunner) => Effect.Effect<boolean>
  }
>() {}

/** The process that a runner's id names, and when that began; none for an id of another form. */
export const processOf = (
  runnerId: RunnerId
): Option.Option<{ readonly pid: number; readonly startedAt: DateTime.Utc }> =>
  Option.fromNullable(/:(\d+):(\d{4}-\d\d-\d\dT[\d:.]+Z)$/.exec(runnerId)).pipe(
    Option.flatMap(([, pid, at]) =>
      Option.map(DateTime.make(at ?? ""), (startedAt) => ({
        pid: Number(pid),
        startedAt: DateTime.toUtc(startedAt)
      }))
    )
  )

/** The surface of what a dispatcher decides by itself. */
export const DISPATCH = "dispatch" satisfies Actor["surface"]

const dispatcher = (runnerId: RunnerId): Actor => ({ surface: DISPATCH, name: runnerId })

/** What this process does, at this moment. */
export const stampNow: Effect.Effect<Stamp, never, Runner> = Effect.gen(function* () {
  const { runnerId } = yield* Runner
  return { at: yield* now, actor: dispatcher(runnerId) }
})
