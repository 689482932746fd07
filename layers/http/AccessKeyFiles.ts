import { randomBytes } from "node:crypto"
import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Array, Effect, Either, Layer } from "effect"
import { AccessKeys, type KnownToken } from "../../src/config/AccessKeys.ts"
import { ConfigInvalid, type FileProblem, fileRule } from "../../src/config/ConfigError.ts"
import { problemOf } from "../../src/config/Issues.ts"
import { RuntimeConfig, type Token } from "../../src/config/RuntimeConfig.ts"
import { sameTokens, shortToken } from "../../src/config/TokenRules.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { readPlain } from "../config/PlainFile.ts"
import { codeOf } from "../SystemWord.ts"
import { readToken } from "./TokenFile.ts"

/** A token of the configuration as it is compared, and what an operator should know of it. */
interface Found {
  readonly token: KnownToken
  readonly key: "sha256" | "tokenFile"
  readonly remarks: ReadonlyArray<string>
}

const foundOf = ({ name, role, secret }: Token): Either.Either<Found, FileProblem> => {
  if ("sha256" in secret)
    return Either.right({ token: { name, role, sha256: secret.sha256 }, key: "sha256", remarks: [] })
  const { path } = secret.tokenFile
  return Either.mapBoth(readToken(path), {
    onLeft: ({ remedy, wrong }) =>
      fileRule(path, `token ${name}: ${wrong}`, "a file with the token, for this user alone", remedy),
    onRight: (mark) => ({
      token: { name, role, sha256: mark.sha256 },
      key: "tokenFile" as const,
      remarks: shortToken(name, path, mark)
    })
  })
}

/** The same token under two names, whether it stands in the configuration or in a file. */
const twice = (found: ReadonlyArray<Either.Either<Found, FileProblem>>, file: string) =>
  sameTokens(
    found.map(
      Either.match({
        onLeft: () => ({ name: undefined, key: "tokenFile" as const, sha256: undefined }),
        onRight: ({ key, token: { name, sha256 } }) => ({ name, key, sha256 })
      })
    )
  ).map((problem): FileProblem => ({ file, ...problemOf(problem) }))

const KEY_BYTES = 32

/** The key of a folder; made once, whoever comes first. */
const keyOf = (folder: string): Uint8Array<ArrayBuffer> => {
  const path = join(folder, "http-session.key")
  const read = () => new Uint8Array(readPlain(path).bytes)
  try {
    const found = read()
    if (found.length === KEY_BYTES) return found
    rmSync(path)
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = `${path}.${crypto.randomUUID()}.tmp`
  writeFileSync(temporary, randomBytes(KEY_BYTES), { mode: 0o600, flush: true })
  try {
    // A name that is taken meanwhile is not written over: another process uses that key.
    linkSync(temporary, path)
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause
  } finally {
    rmSync(temporary, { force: true })
  }
  return read()
}

/** The keys of a configuration; token files that are missing, open to others or the same are all told at once. */
export const layer = Layer.effect(
  AccessKeys,
  Effect.gen(function* () {
    const { configPath, http, stateDir } = yield* RuntimeConfig
    const found = http.tokens.map(foundOf)
    const problems = [...Array.getLefts(found), ...twice(found, configPath)]
    if (problems.length > 0) return yield* new ConfigInvalid({ path: configPath, problems })
    const sessionKey = yield* Effect.try({
      try: () => keyOf(stateDir),
      catch: (cause) =>
        new StoreUnavailable({
          path: stateDir,
          reason: `the key of sessions cannot be kept there (${codeOf(cause)})`,
          remedy: "check the rights and the room of the state folder"
        })
    })
    const usable = Array.getRights(found)
    return AccessKeys.of({
      tokens: usable.map(({ token }) => token),
      remarks: usable.flatMap(({ remarks }) => remarks),
      sessionKey
    })
  })
)
