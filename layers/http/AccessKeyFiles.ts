import { createHash, randomBytes } from "node:crypto"
import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Either, Layer } from "effect"
import { AccessKeys, type KnownToken } from "../../src/config/AccessKeys.ts"
import { ConfigInvalid, type FileProblem, fileRule } from "../../src/config/ConfigError.ts"
import { RuntimeConfig, type Token } from "../../src/config/RuntimeConfig.ts"
import { StoreUnavailable } from "../../src/store/StoreError.ts"
import { readableByOthers } from "../adapter/EnvFile.ts"
import { readPlain } from "../config/PlainFile.ts"
import { codeOf } from "../SystemWord.ts"

/** A shorter token could be guessed in spite of the brake on wrong ones. */
const LEAST_CHARACTERS = 16

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex")

const ofFile = (name: string, role: Token["role"], path: string): Either.Either<KnownToken, FileProblem> => {
  const refuse = (wrong: string, remedy: string) =>
    Either.left(
      fileRule(path, `token ${name}: ${wrong}`, "a file with the token, for this user alone", remedy)
    )
  const make = `write one: (umask 077; head -c 32 /dev/urandom | base64 > ${path})`
  try {
    const { bytes, mode } = readPlain(path)
    if (readableByOthers(mode)) return refuse("the file can be read by others", `chmod 600 ${path}`)
    const token = bytes.toString("utf8").trim()
    if (token.length < LEAST_CHARACTERS)
      return refuse(`the token has fewer than ${LEAST_CHARACTERS} characters`, make)
    if (/\s/.test(token)) return refuse("the token holds white space", make)
    return Either.right({ name, role, sha256: sha256(token) })
  } catch (cause) {
    return refuse(`the file cannot be read (${codeOf(cause)})`, make)
  }
}

const known = (token: Token): Either.Either<KnownToken, FileProblem> => {
  const { name, role, secret } = token
  return "sha256" in secret
    ? Either.right({ name, role, sha256: secret.sha256 })
    : ofFile(name, role, secret.tokenFile.path)
}

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

/** The keys of a configuration; token files that are missing, open to others or too short are all told at once. */
export const layer = Layer.effect(
  AccessKeys,
  Effect.gen(function* () {
    const { configPath, http, stateDir } = yield* RuntimeConfig
    const found = http.tokens.map(known)
    const problems = found.flatMap((one) => (Either.isLeft(one) ? [one.left] : []))
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
    return AccessKeys.of({
      tokens: found.flatMap((one) => (Either.isRight(one) ? [one.right] : [])),
      sessionKey
    })
  })
)
