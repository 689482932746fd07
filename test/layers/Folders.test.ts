import { afterAll, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { makeFolder } from "../../layers/Folders.ts"
import { it } from "../support/effect.ts"

const root = fs.mkdtempSync(join(tmpdir(), "agent-runtime-folders-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

it.live("a folder is made with those above it, for this user alone, and made again nothing happens", () =>
  Effect.gen(function* () {
    yield* makeFolder(join(root, "a/b"))
    yield* makeFolder(join(root, "a/b"))
    expect(fs.statSync(join(root, "a/b")).mode & 0o777).toBe(0o700)
  })
)

it.live("a folder that cannot be made says what lies in its place, and what mends it", () =>
  Effect.gen(function* () {
    fs.symlinkSync("../away/state", join(root, "link"))
    fs.writeFileSync(join(root, "file"), "")
    const told = (name: string) => Effect.flip(makeFolder(join(root, name)))
    for (const name of ["link", "link/deep"])
      expect(yield* told(name)).toMatchObject({
        path: join(root, name),
        reason: `the folder cannot be made: ${join(root, "link")} is a symbolic link to ../away/state, and nothing is there`,
        remedy: "make or mount what it leads to, or remove the link"
      })
    for (const name of ["file", "file/deep"])
      expect(yield* told(name)).toMatchObject({
        reason: `the folder cannot be made: ${join(root, "file")} is no folder`
      })
  })
)

it.live("a path that the system refuses otherwise is told with what mends it", () =>
  Effect.gen(function* () {
    fs.symlinkSync("round", join(root, "round"))
    const long = join(root, "x".repeat(300))
    const told = (folder: string) => Effect.flip(makeFolder(folder))
    for (const folder of [long, join(long, "deep")])
      expect(yield* told(folder)).toMatchObject({
        path: folder,
        reason: "the folder cannot be made: its path is longer than the file system allows (ENAMETOOLONG)",
        remedy: "name another folder"
      })
    expect(yield* told(join(root, "round/deep"))).toMatchObject({
      reason: `the folder cannot be made: ${join(root, "round")} is a symbolic link to round, and nothing is there`
    })
  })
)
