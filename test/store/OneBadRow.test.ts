import { expect } from "bun:test"
import { Cause, Effect, Exit } from "effect"
import { onFault } from "../../src/store/OneBadRow.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { it } from "../support/effect.ts"

const failing = (isFault: boolean) =>
  new StoreUnavailable({ path: "/x", reason: "datatype mismatch", remedy: "", isFault })

it.effect("defects and what a sound store refuses are faults; a store that cannot serve is none", () =>
  Effect.gen(function* () {
    const instead = onFault(() => Effect.succeed("instead"))
    expect(yield* instead(Effect.die(new Error("glass")))).toBe("instead")
    expect(yield* instead(failing(true))).toBe("instead")
    expect(yield* Effect.exit(instead(failing(false)))).toEqual(Exit.fail(failing(false)))
    expect(yield* Effect.exit(instead(Effect.interrupt))).toSatisfy(
      (exit) => Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
    )
    expect(yield* instead(Effect.succeed("done"))).toBe("done")
  })
)
