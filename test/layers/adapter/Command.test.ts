import { expect } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { findCommand } from "../../../layers/adapter/Command.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

it.live("a bare name is found in the first absolute folder of PATH where it can be run", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const [first, second, third] = ["one", "two", "three"].map((name) => join(folder, name))
    for (const place of [first, second, third]) mkdirSync(place ?? "")
    mkdirSync(`${first}/tool`)
    writeFileSync(`${second}/tool`, "", { mode: 0o600 })
    writeFileSync(`${third}/tool`, "", { mode: 0o700 })
    expect(yield* findCommand("tool", `.::${first}:${second}:${third}`)).toBe(`${third}/tool`)
    expect((yield* Effect.flip(findCommand("tool", `${first}:${second}`))).remedy).toBe(
      `chmod +x ${second}/tool`
    )
    expect((yield* Effect.flip(findCommand("tool", "."))).reason).toBe("command tool is not on PATH")
  })
)

it.live("a path is taken as it is, through links; a link to nothing is not there", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    symlinkSync("/bin/sh", join(folder, "link"))
    symlinkSync(join(folder, "gone"), join(folder, "dangling"))
    expect(yield* findCommand(join(folder, "link"), "")).toBe(join(folder, "link"))
    expect((yield* Effect.flip(findCommand(join(folder, "dangling"), ""))).reason).toContain("is not there")
  })
)

it.live("an interpreter with a Windows line end is named as what it is", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryFolder, "script")
    writeFileSync(path, "#!/bin/sh\r\necho\r\n", { mode: 0o700 })
    expect((yield* Effect.flip(findCommand(path, ""))).reason).toContain("/bin/sh\\r, which cannot be run")
  })
)

it.live(
  "a folder of PATH that cannot be looked at is passed over, and named only where nothing is found",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      // A link to itself: it is refused to whoever asks, the superuser too.
      const closed = join(folder, "closed")
      symlinkSync(closed, closed)
      mkdirSync(join(folder, "bin"))
      writeFileSync(join(folder, "bin", "tool"), "", { mode: 0o700 })
      const searchPath = `${closed}:${folder}/bin`
      expect(yield* findCommand("tool", searchPath)).toBe(`${folder}/bin/tool`)
      expect((yield* Effect.flip(findCommand("other", searchPath))).reason).toBe(
        `command other is not on PATH, of which ${closed} (ELOOP) cannot be looked at`
      )
    })
)
