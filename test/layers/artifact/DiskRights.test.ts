import { expect, test } from "bun:test"
import * as fs from "node:fs"
import * as os from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import * as DiskRights from "../../../layers/artifact/DiskRights.ts"
import { Rights } from "../../../src/artifact/Rights.ts"
import { withoutOverride } from "../../e2e/inPlace.ts"

const inFolder = (body: (folder: string) => void): void => {
  const folder = fs.mkdtempSync(join(os.tmpdir(), "agent-runtime-rights-"))
  try {
    body(folder)
  } finally {
    fs.chmodSync(folder, 0o700)
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const problem = (path: string, kind: "folder" | "file"): string | null =>
  Effect.runSync(
    Effect.flatMap(Rights, (rights) => Effect.map(rights.problem(path, kind), Option.getOrNull)).pipe(
      Effect.provide(DiskRights.layer)
    )
  )

test("what is there, or can be made, is no problem, and asking makes nothing", () =>
  inFolder((folder) => {
    fs.writeFileSync(join(folder, "file"), "")
    expect(problem(folder, "folder")).toBeNull()
    expect(problem(join(folder, "file"), "file")).toBeNull()
    expect(problem(join(folder, "a", "b"), "folder")).toBeNull()
    expect(problem(join(folder, "a", "b", "c.log"), "file")).toBeNull()
    expect(fs.readdirSync(folder)).toEqual(["file"])
  }))

test("what is in the way is named, at whatever depth", () =>
  inFolder((folder) => {
    const file = join(folder, "file")
    fs.writeFileSync(file, "")
    expect(problem(file, "folder")).toBe(`${file} is not a folder`)
    expect(problem(join(file, "logs", "x"), "folder")).toBe(`${file} is not a folder`)
    expect(problem(folder, "file")).toBe(`${folder} is not a file`)
  }))

test("what this user may not write is named with the system's word", () =>
  inFolder((folder) => {
    const locked = join(folder, "locked")
    fs.mkdirSync(locked)
    fs.writeFileSync(join(locked, "kept"), "")
    fs.chmodSync(join(locked, "kept"), 0o400)
    fs.chmodSync(locked, 0o500)
    const script = `
      import { Effect, Option } from "effect"
      import { layer } from ${JSON.stringify(join(import.meta.dir, "../../../layers/artifact/DiskRights.ts"))}
      import { Rights } from ${JSON.stringify(join(import.meta.dir, "../../../src/artifact/Rights.ts"))}
      const asked = [[${JSON.stringify(locked)}, "folder"], [${JSON.stringify(join(locked, "logs"))}, "folder"], [${JSON.stringify(join(locked, "kept"))}, "file"]]
      const told = Effect.flatMap(Rights, (rights) => Effect.forEach(asked, ([path, kind]) => Effect.map(rights.problem(path, kind), Option.getOrNull)))
      console.log(JSON.stringify(Effect.runSync(Effect.provide(told, layer))))`
    const told = Bun.spawnSync([...withoutOverride, process.execPath, "-e", script], {
      cwd: join(import.meta.dir, "../../.."),
      stdin: "ignore"
    })
    expect(JSON.parse(told.stdout.toString())).toEqual([
      `${locked} cannot be written (EACCES)`,
      `${locked} cannot be written (EACCES)`,
      `${join(locked, "kept")} cannot be written (EACCES)`
    ])
  }))
