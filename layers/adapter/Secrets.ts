import { join } from "node:path"
import { Effect, Redacted } from "effect"
import type { SecretRef } from "../../src/config/AdapterSettings.ts"
import { isNoRoom } from "../../src/domain/HostRoom.ts"
import { readPlain, readPlainText } from "../config/PlainFile.ts"
import { codeOf } from "../SystemWord.ts"
import { CannotStart, noRoomTo } from "./CannotStart.ts"
import { readableByOthers } from "./EnvFile.ts"
import { unreadable } from "./Unreadable.ts"

/** The environment of this process, as far as adapters may draw on it. */
export type HostEnvironment = Readonly<Record<string, string | undefined>>

const secretIn = (text: string): Redacted.Redacted => Redacted.make(text.replace(/\r?\n$/, ""))

const handedOver = (path: string, what: string): Effect.Effect<Redacted.Redacted, CannotStart> =>
  Effect.try({
    try: () => secretIn(readPlainText(path)),
    catch: (cause) => {
      const code = codeOf(cause)
      return isNoRoom(code)
        ? noRoomTo(`${what} cannot be read`, code)
        : new CannotStart({
            reason: `${what} cannot be read (${code})`,
            remedy: "make it, readable for this user"
          })
    }
  })

const privateFile = (path: string): Effect.Effect<Redacted.Redacted, CannotStart> =>
  Effect.try({
    try: () => readPlain(path),
    catch: (cause) =>
      unreadable(
        "secret file",
        path,
        cause,
        `make it: install -m 600 /dev/null ${path}, then write the secret into it`
      )
  }).pipe(
    Effect.filterOrFail(
      ({ mode }) => !readableByOthers(mode),
      () =>
        new CannotStart({ reason: `secret file ${path} can be read by others`, remedy: `chmod 600 ${path}` })
    ),
    Effect.map(({ bytes }) => secretIn(bytes.toString("utf8")))
  )

const credential = (name: string, host: HostEnvironment): Effect.Effect<Redacted.Redacted, CannotStart> => {
  const folder = host.CREDENTIALS_DIRECTORY
  if (!/^[\w.@:-]+$/.test(name) || name === "." || name === "..")
    return new CannotStart({
      reason: `credential ${JSON.stringify(name)} is not a file name`,
      remedy: "name it as the unit does"
    })
  return folder === undefined
    ? new CannotStart({
        reason: `credential ${name} is not there: systemd handed no credentials over`,
        remedy: `add LoadCredential=${name}:PATH to the unit`
      })
    : handedOver(join(folder, name), `credential ${name}`)
}

/**
 * The value behind a secret reference, one line end at its end taken off. A file that others can read is
 * refused with the `chmod` that mends it. No message holds a value.
 */
export const resolveSecret = (
  ref: SecretRef,
  host: HostEnvironment
): Effect.Effect<Redacted.Redacted, CannotStart> => {
  if ("secretFile" in ref) return privateFile(ref.secretFile.path)
  if ("credential" in ref) return credential(ref.credential, host)
  const value = host[ref.secretEnv]
  return value === undefined
    ? new CannotStart({
        reason: `secret variable ${ref.secretEnv} is not set`,
        remedy: `set ${ref.secretEnv} in the environment of agent-runtime`
      })
    : Effect.succeed(Redacted.make(value))
}
