import { afterEach, beforeEach, expect } from "bun:test"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import * as DiskHostFiles from "../../../layers/deploy/DiskHostFiles.ts"
import { HostFiles } from "../../../src/artifact/HostFiles.ts"
import { it } from "../../support/effect.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-runtime-host-files-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (...parts: ReadonlyArray<string>) => join(folder, ...parts)
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

it.effect("files are written with the rights that they are to have, in folders that are made", () =>
  Effect.gen(function* () {
    const files = yield* HostFiles
    yield* files.write([
      { path: at("a/private.json"), text: "1", rights: "owner" },
      { path: at("b/unit"), text: "2", rights: "everybody" },
      { path: at("b/run.sh"), text: "3", rights: "program" }
    ])
    expect([at("a"), at("a/private.json"), at("b/unit"), at("b/run.sh")].map(mode)).toEqual([
      "700",
      "600",
      "644",
      "755"
    ])
    expect(yield* files.read(at("b/unit"))).toEqual(Option.some("2"))
    expect(yield* files.read(at("nothing"))).toEqual(Option.none())
  }).pipe(Effect.provide(DiskHostFiles.layer))
)

it.effect("a file that was there is replaced whole", () =>
  Effect.gen(function* () {
    const files = yield* HostFiles
    writeFileSync(at("unit"), "a longer text that was there")
    yield* files.write([{ path: at("unit"), text: "new", rights: "everybody" }])
    expect(readFileSync(at("unit"), "utf8")).toBe("new")
    expect(readdirSync(folder)).toEqual(["unit"])
  }).pipe(Effect.provide(DiskHostFiles.layer))
)

it.effect("when one cannot be written, those that were new are gone again", () =>
  Effect.gen(function* () {
    const files = yield* HostFiles
    // A link that leads nowhere is something that is there.
    symlinkSync(at("nowhere"), at("taken"))
    const failed = yield* Effect.flip(
      files.write([
        { path: at("first"), text: "1", rights: "owner" },
        { path: at("taken"), text: "2", rights: "owner" }
      ])
    )
    expect(failed).toMatchObject({ path: at("taken"), reason: "EEXIST" })
    expect(readdirSync(folder)).toEqual(["taken"])
    mkdirSync(at("folder"))
    expect(yield* Effect.flip(files.read(at("folder")))).toMatchObject({ reason: "EISDIR" })
  }).pipe(Effect.provide(DiskHostFiles.layer))
)

it.effect("folders that were made for files that could not be written are gone again, others stay", () =>
  Effect.gen(function* () {
    const files = yield* HostFiles
    mkdirSync(at("there"))
    writeFileSync(at("there/file"), "")
    const wanted = ["new/deep/a", "there/b", "there/file/c"]
    yield* Effect.flip(
      files.write(wanted.map((name) => ({ path: at(name), text: "x", rights: "everybody" as const })))
    )
    expect(readdirSync(folder)).toEqual(["there"])
    expect(readdirSync(at("there"))).toEqual(["file"])
  }).pipe(Effect.provide(DiskHostFiles.layer))
)

it.effect("a link to nothing is told as one, for nothing can be made in its place", () =>
  Effect.gen(function* () {
    symlinkSync(at("nowhere"), at("link"))
    const { read } = yield* HostFiles
    expect((yield* Effect.flip(read(at("link")))).reason).toBe(
      "it is a symbolic link to a file that is not there"
    )
    expect(Option.isNone(yield* read(at("absent")))).toBe(true)
  }).pipe(Effect.provide(DiskHostFiles.layer))
)
