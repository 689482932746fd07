import { Effect, Option } from "effect"
import { ATTEMPT_FOLDERS } from "../../artifact/Declared.ts"
import { Rights } from "../../artifact/Rights.ts"
import { RuntimeConfig } from "../../config/RuntimeConfig.ts"
import { writableRemedy } from "../../store/StoreError.ts"

interface Place {
  readonly path: string
  readonly kind: "folder" | "file"
}

/** What keeps this user from writing at these places, each reason once. */
const reasons = (places: ReadonlyArray<Place>) =>
  Effect.gen(function* () {
    const rights = yield* Rights
    const found = yield* Effect.forEach(places, ({ kind, path }) => rights.problem(path, kind))
    return [...new Set(found.flatMap(Option.toArray))]
  })

const GRANT = "correct the path, or give this user the right to write there"

/** Attempts go on without a log, and the log cannot tell that it is not written. */
export const logProblems = Effect.gen(function* () {
  const { logDir } = yield* RuntimeConfig
  const found = yield* reasons([
    { path: logDir, kind: "folder" },
    { path: `${logDir}/runtime.jsonl`, kind: "file" }
  ])
  return found.slice(0, 1).map((reason) => `logDir: no log is written: ${reason}; ${GRANT}`)
})

/** Without a folder for its evidence no attempt can begin. */
export const folderProblems = Effect.gen(function* () {
  const { artifactDir, stateDir } = yield* RuntimeConfig
  const folders = [stateDir, artifactDir, ...ATTEMPT_FOLDERS.map((name) => `${artifactDir}/${name}`)]
  const found = yield* reasons(folders.map((path) => ({ path, kind: "folder" })))
  return found.map((reason) => `no attempt can be run: ${reason}; ${GRANT}`)
})

/** A lock that cannot be taken lets nobody dispatch. */
export const lockProblems = Effect.gen(function* () {
  const { lockPath } = yield* RuntimeConfig
  const found = yield* reasons([{ path: lockPath, kind: "file" }])
  return found.map(
    (reason) => `nobody can dispatch, for the lock cannot be taken: ${reason}; ${GRANT} (lockPath)`
  )
})

/** A store that opens can still refuse every change. */
export const storeProblems = Effect.gen(function* () {
  const { dbPath } = yield* RuntimeConfig
  const found = yield* reasons(
    [dbPath, `${dbPath}-wal`, `${dbPath}-shm`].map((path) => ({ path, kind: "file" }))
  )
  return found.length === 0 ? [] : [`it cannot be written: ${found.join(", ")}; ${writableRemedy(dbPath)}`]
})
