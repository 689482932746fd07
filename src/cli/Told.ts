import { Effect } from "effect"
import type { Tell } from "../store/BackupFiles.ts"
import { Terminal } from "./Terminal.ts"

/** Where the progress of a long step is told: beside the result, which is stdout's. */
export const told = Effect.map(
  Terminal,
  ({ report }): Tell =>
    (progress) =>
      Effect.sync(() => report(`${progress}\n`))
)
