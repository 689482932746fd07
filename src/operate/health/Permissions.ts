import { Effect, Option } from "effect"
import { RuntimeConfig, type Settings } from "../../config/RuntimeConfig.ts"
import { HostFacts } from "../../dispatch/HostFacts.ts"
import { check } from "./Finding.ts"
import { folderProblems } from "./Writing.ts"

interface Place {
  readonly path: string
  readonly what: string
  readonly kind: "folder" | "file"
}

/** What the runtime keeps for itself. Folders and files that were made by others keep the rights they had. */
const ownPlaces = ({ artifactDir, dbPath, lockPath, logDir, stateDir }: Settings): ReadonlyArray<Place> => [
  { path: stateDir, what: "stateDir", kind: "folder" },
  { path: logDir, what: "logDir", kind: "folder" },
  { path: artifactDir, what: "artifactDir", kind: "folder" },
  { path: dbPath, what: "the store", kind: "file" },
  { path: `${dbPath}-wal`, what: "the store's journal", kind: "file" },
  { path: lockPath, what: "the lock file", kind: "file" },
  { path: `${logDir}/runtime.jsonl`, what: "the log", kind: "file" }
]

const told = ({ kind, path, what }: Place) =>
  Effect.gen(function* () {
    const seen = Option.getOrNull(yield* (yield* HostFacts).exposure(path))
    // What stands in another's place is told where it is used; these rights would break it.
    if (seen?.kind !== kind) return { problems: [], warnings: [] }
    const remedy = `chmod ${kind === "folder" ? 700 : 600} ${path}`
    const sentence = (verb: string) => [`${what} can be ${verb} by others: ${path}; ${remedy}`]
    return {
      problems: seen.writable ? sentence("written") : [],
      warnings: !seen.writable && seen.readable ? sentence("read") : []
    }
  })

/** A file of tokens that others can read is refused by the server, and one that is missing lets nobody in. */
const tokenProblems = Effect.gen(function* () {
  const facts = yield* HostFacts
  const { http } = yield* RuntimeConfig
  const found = yield* Effect.forEach(http.tokens, ({ name, secret }) => {
    if (!("tokenFile" in secret)) return Effect.succeed([])
    const { path } = secret.tokenFile
    return Effect.map(
      facts.exposure(path),
      Option.match({
        onNone: () => [
          `http.tokens: the file of token ${name} is missing: ${path}; install -m 600 /dev/null ${path}, then write the token into it`
        ],
        onSome: ({ readable, writable }) =>
          readable || writable
            ? [`http.tokens: the file of token ${name} is open to others: ${path}; chmod 600 ${path}`]
            : []
      })
    )
  })
  return found.flat()
})

/** Whoever may write the configuration runs what they like as this user. */
const configurationProblems = Effect.gen(function* () {
  const { configPath } = yield* RuntimeConfig
  const seen = yield* (yield* HostFacts).exposure(configPath)
  return Option.exists(seen, ({ writable }) => writable)
    ? [`the configuration can be written by others: ${configPath}; chmod go-w ${configPath}`]
    : []
})

/** Folders, files and token files that others than this user can read or write, or this user cannot write. */
export const permissions = Effect.gen(function* () {
  const places = yield* Effect.forEach(ownPlaces(yield* RuntimeConfig), told)
  return check(
    "permissions",
    [
      ...places.flatMap(({ problems }) => problems),
      ...(yield* folderProblems),
      ...(yield* tokenProblems),
      ...(yield* configurationProblems)
    ],
    places.flatMap(({ warnings }) => warnings)
  )
})
