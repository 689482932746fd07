import { Context, type FiberId } from "effect"

/** The transaction that a fiber is in. */
export class Owner extends Context.Tag("agent-runtime/store/Owner")<
  Owner,
  {
    readonly name: string
    readonly fiber: FiberId.FiberId
    isOver: boolean
    /** A part that failed after it had written: nothing of the whole may be kept. */
    brokenBy: string | undefined
  }
>() {}
