import { Effect } from "effect"
import { layer } from "../../../layers/adopt/Original.ts"
import { Original } from "../../../src/store/Original.ts"

// Opens a database of the original (argument 1) with a state folder (argument 2) and prints what it fails with.
const [file = "", state = ""] = process.argv.slice(2)
const error = await Effect.flatMap(Original, (original) =>
  original.open(file, state, () => Effect.void)
).pipe(Effect.scoped, Effect.flip, Effect.provide(layer), Effect.runPromise)
console.log(JSON.stringify(error))
