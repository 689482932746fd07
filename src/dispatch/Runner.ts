import { Context } from "effect"
import type { Actor } from "../domain/Actor.ts"
import type { RunnerId } from "../domain/Ids.ts"

/** This process as a dispatcher. */
export class Runner extends Context.Tag("agent-runtime/Runner")<
  Runner,
  { readonly runnerId: RunnerId; readonly host: string; readonly pid: number }
>() {}

/** The actor of what a dispatcher decides by itself. */
export const dispatcher = (runnerId: RunnerId): Actor => ({ surface: "dispatch", name: runnerId })
