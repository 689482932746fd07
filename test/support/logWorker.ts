import { Effect, Layer, Logger } from "effect"
import * as RuntimeLog from "../../layers/log/RuntimeLog.ts"

// A process that writes numbered lines into a log: FOLDER NAME COUNT ROTATE_BYTES [PADDING_CHARACTERS].
const [logDir = "", name = "", count = "0", rotateBytes = "0", padding = "0"] = process.argv.slice(2)
const padded = "x".repeat(Number(padding))

await Effect.runPromise(
  Effect.forEach(Array.from({ length: Number(count) }), (_, n) => Effect.logInfo(`${name} ${n}${padded}`), {
    discard: true
  }).pipe(
    Effect.provide(
      Layer.provideMerge(
        RuntimeLog.layer({ logDir, rotateBytes: Number(rotateBytes) }),
        Logger.remove(Logger.defaultLogger)
      )
    )
  )
)
