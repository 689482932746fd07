import { Context, Effect } from "effect"
import type { Actor, Stamp } from "../domain/Actor.ts"
import type { RunnerId } from "../domain/Ids.ts"
import { now } from "../domain/Time.ts"

/** This process as a dispatcher. */
export class Runner extends Context.Tag("agent-runtime/Runner")<
  Runner,
  { readonly runnerId: RunnerId; readonly host: string; readonly pid: number }
>() {}

/** The actor of what a dispatcher decides by itself. */
const dispatcher = (runnerId: RunnerId): Actor => ({ surface: "dispatch", name: runnerId })

/** What this process does, at this moment. */
export const stampNow: Effect.Effect<Stamp, never, Runner> = Effect.gen(function* () {
  const { runnerId } = yield* Runner
  return { at: yield* now, actor: dispatcher(runnerId) }
})
