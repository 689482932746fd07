import { afterAll, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { layer } from "../../../layers/context/DiskRealPath.ts"
import { RealPath } from "../../../src/context/RealPath.ts"
import { it } from "../../support/effect.ts"

const base = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "real-path-test-")))
afterAll(() => fs.rmSync(base, { recursive: true, force: true }))

it.live("two ways to one folder lead to one path, as far as they exist", () =>
  Effect.gen(function* () {
    fs.mkdirSync(join(base, "repo/sub"), { recursive: true })
    fs.symlinkSync("repo", join(base, "link"))
    fs.symlinkSync("loop", join(base, "loop"))
    const { of } = yield* RealPath
    const leads = (path: string) => Effect.map(of(join(base, path)), (real) => real.slice(base.length + 1))
    expect(yield* leads("link")).toBe("repo")
    expect(yield* leads("link/sub/../sub")).toBe("repo/sub")
    expect(yield* leads("link/not/there")).toBe("repo/not/there")
    expect(yield* leads("loop/x")).toBe("loop/x")
    expect(yield* of("/")).toBe("/")
  }).pipe(Effect.provide(layer))
)
