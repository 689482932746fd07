import { afterAll, expect } from "bun:test"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import { layer as diskArtifacts } from "../../../layers/artifact/DiskArtifacts.ts"
import { surveying } from "../../../layers/artifact/Survey.ts"
import { layer as gitWorkspace } from "../../../layers/context/GitWorkspace.ts"
import { ArtifactStore } from "../../../src/artifact/ArtifactStore.ts"
import { Workspace } from "../../../src/context/Workspace.ts"
import { it } from "../../support/effect.ts"

const base = realpathSync(mkdtempSync(join(tmpdir(), "survey-test-")))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const root = join(base, "artifacts")
mkdirSync(join(root, "folder/below"), { recursive: true })
mkdirSync(join(base, "artifacts-evil"))
writeFileSync(join(root, "file.md"), "x")
writeFileSync(join(root, "folder/below/file.md"), "xy")
writeFileSync(join(base, "artifacts-evil/file.md"), "xyz")
const link = (target: string, at: string) => symlinkSync(target, join(root, at))
link("folder", "to-folder")
link("folder/below/file.md", "to-file")
link("nowhere", "dangling")
link("loop", "loop")
link("../artifacts-evil", "out")
symlinkSync("../artifacts/file.md", join(base, "artifacts-evil/back"))

const PATHS = [
  "",
  ".",
  "file.md",
  "file.md/",
  "file.md/none",
  "folder",
  "folder/below/../below/file.md",
  "folder/none.md",
  "none/none/none.md",
  "to-folder/below/file.md",
  "to-folder/none.md",
  "to-file",
  "dangling",
  "dangling/none.md",
  "loop",
  "loop/none.md",
  "out",
  "out/file.md",
  "out/none.md",
  "out/back",
  "out/../file.md",
  "../artifacts-evil/file.md",
  "..",
  "a\0b",
  "x".repeat(300),
  "ä".repeat(200),
  `${"folder/".repeat(1_000)}file.md`,
  join(root, "file.md"),
  join(root, "none.md"),
  "/",
  "/none",
  "/dev/null"
]

for (const path of PATHS)
  it.live(`a survey tells of ${JSON.stringify(path.slice(0, 60))} what a look of its own does`, () =>
    Effect.gen(function* () {
      const store = yield* ArtifactStore
      const workspace = yield* Workspace
      const look = workspace.survey()
      const { observe, resolve } = store.survey()
      for (const one of [path, path, `${path}/none`, path]) {
        expect(yield* Effect.either(resolve(one))).toEqual(yield* Effect.either(store.resolve(one)))
        expect(yield* Effect.either(observe(one))).toEqual(yield* Effect.either(store.observe(one)))
        for (const at of [join(root, one), `${root}/${one}`, one])
          expect(yield* look(at)).toEqual(yield* workspace.observe(at))
      }
    }).pipe(Effect.provide(Layer.merge(diskArtifacts(root), gitWorkspace)))
  )

it.live("what was seen once is not looked at again", () =>
  Effect.sync(() => {
    const survey = surveying()
    const at = join(base, "late/folder/file.md")
    expect(survey(at)?.observed).toBeUndefined()
    mkdirSync(join(base, "late/folder"), { recursive: true })
    writeFileSync(at, "x")
    expect(survey(at)?.observed).toBeUndefined()
    expect(survey(`${at}.other`)).toEqual({ realPath: `${at}.other`, observed: undefined })
    expect(surveying()(at)?.observed?.kind).toBe("file")
  })
)
