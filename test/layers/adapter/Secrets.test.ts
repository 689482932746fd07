import { expect } from "bun:test"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Redacted } from "effect"
import { resolveSecret } from "../../../layers/adapter/Secrets.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

it.live("a secret is read from a private file, a variable or a credential", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const path = join(folder, "token")
    writeFileSync(path, "value-1\n", { mode: 0o600 })
    const host = { CREDENTIALS_DIRECTORY: folder, NAME: "value-2" }
    const read = yield* Effect.forEach(
      [{ secretFile: { given: "token", path } }, { secretEnv: "NAME" }, { credential: "token" }],
      (ref) => resolveSecret(ref, host)
    )
    expect(read.map((value) => Redacted.value(value))).toEqual(["value-1", "value-2", "value-1"])
    expect(String(read)).not.toContain("value")
  })
)

it.live("a secret file that group or others can read is refused with the chmod that mends it", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryFolder, "token")
    writeFileSync(path, "value")
    for (const mode of [0o640, 0o604]) {
      chmodSync(path, mode)
      const failure = yield* Effect.flip(resolveSecret({ secretFile: { given: "token", path } }, {}))
      expect(failure).toMatchObject({ _tag: "CannotStart", remedy: `chmod 600 ${path}` })
    }
  })
)

it.live("a credential's name does not lead out of its folder", () =>
  Effect.gen(function* () {
    for (const credential of ["../token", "..", "a/b", ""]) {
      const failure = yield* Effect.flip(resolveSecret({ credential }, { CREDENTIALS_DIRECTORY: "/etc" }))
      expect(failure.reason).toContain("is not a file name")
    }
  })
)
