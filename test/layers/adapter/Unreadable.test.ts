import { expect, test } from "bun:test"
import { Effect } from "effect"
import { readEnvFile } from "../../../layers/adapter/EnvFile.ts"
import { resolveSecret } from "../../../layers/adapter/Secrets.ts"
import { unreadable } from "../../../layers/adapter/Unreadable.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

const refused = (code: string) =>
  unreadable(
    "env file",
    "/s/a.env",
    Object.assign(new Error(), { code }),
    "install -m 600 /dev/null /s/a.env"
  )

test("a file that is closed to this user is opened to it, and only one that is not there is made", () => {
  expect(refused("ENOENT").remedy).toBe("install -m 600 /dev/null /s/a.env")
  expect(refused("EACCES")).toMatchObject({
    reason: "env file /s/a.env cannot be read (EACCES)",
    remedy: "let this user read it (chmod u+r /s/a.env, or chown it) and enter its folders"
  })
})

it.live("nothing that is there is told to be made: a folder in the place of an env file or a secret", () =>
  Effect.gen(function* () {
    const path = yield* temporaryFolder
    const placed = { given: "x", path }
    const remedies = [
      (yield* Effect.flip(readEnvFile(placed))).remedy,
      (yield* Effect.flip(readEnvFile({ given: "x", path: `${path}/gone` }))).remedy,
      (yield* Effect.flip(resolveSecret({ secretFile: { given: "x", path: `${path}/gone` } }, {}))).remedy
    ]
    expect(remedies.map((remedy) => remedy.includes("/dev/null"))).toEqual([false, true, true])
  })
)
