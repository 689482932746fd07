import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Schema, type Scope } from "effect"
import type { AttemptId } from "../../src/domain/Ids.ts"
import { codeOf } from "../SystemWord.ts"
import { attemptName } from "./AttemptName.ts"

/** The scratch folder of an attempt could not be made or written: disk full, folder not writable. */
export class ScratchFailed extends Schema.TaggedError<ScratchFailed>()("ScratchFailed", {
  path: Schema.String,
  reason: Schema.String
}) {}

/** Where an attempt's scratch folder is while it runs. */
export const scratchPath = (stateDir: string, attemptId: AttemptId): string =>
  join(stateDir, "scratch", attemptName(attemptId))

/** Removes an attempt's scratch folder; nothing happens when it is not there. A failure is only logged. */
export const removeScratch = (stateDir: string, attemptId: AttemptId): Effect.Effect<void> => {
  const path = scratchPath(stateDir, attemptId)
  return Effect.tryPromise(() => rm(path, { recursive: true, force: true })).pipe(
    Effect.catchAll(({ error }) =>
      Effect.logWarning(`${path} could not be removed (${codeOf(error)}); remove it by hand`)
    )
  )
}

/** Makes an attempt's private folder (0700) below the state folder, empty; it is removed with the scope. */
export const scratchFolder = (
  stateDir: string,
  attemptId: AttemptId
): Effect.Effect<string, ScratchFailed, Scope.Scope> => {
  const path = scratchPath(stateDir, attemptId)
  const make = Effect.tryPromise({
    try: async () => {
      await mkdir(join(stateDir, "scratch"), { recursive: true, mode: 0o700 })
      await rm(path, { recursive: true, force: true })
      await mkdir(path, { mode: 0o700 })
      return path
    },
    catch: (cause) => unmade(path, cause)
  })
  return Effect.acquireRelease(make, () => removeScratch(stateDir, attemptId))
}

/** Writes a driver's files (0600) into the scratch folder. */
export const putScratch = (
  folder: string,
  files: Readonly<Record<string, string>>
): Effect.Effect<void, ScratchFailed> =>
  Effect.forEach(
    Object.entries(files),
    ([name, text]) =>
      Effect.tryPromise({
        try: () => writeFile(join(folder, name), text, { mode: 0o600, flag: "wx" }),
        catch: (cause) => unmade(join(folder, name), cause)
      }),
    { discard: true }
  )

const unmade = (path: string, cause: unknown): ScratchFailed =>
  new ScratchFailed({ path, reason: codeOf(cause) })
