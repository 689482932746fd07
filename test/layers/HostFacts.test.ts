import { afterAll, beforeAll, describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { layer } from "../../layers/HostFacts.ts"
import { HostFacts } from "../../src/dispatch/HostFacts.ts"
import { it } from "../support/effect.ts"

let folder = ""
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "agent-runtime-facts-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const asked = <A>(ask: (facts: HostFacts["Type"]) => Effect.Effect<A>) =>
  Effect.flatMap(HostFacts, ask).pipe(Effect.provide(layer))

describe("what others may do with a file", () => {
  it.live(
    "is what its mode says where its folders let them in, and nothing below a folder that does not",
    () =>
      Effect.gen(function* () {
        fs.chmodSync(folder, 0o755)
        const file = join(folder, "f")
        fs.writeFileSync(file, "")
        const exposure = (mode: number) => {
          fs.chmodSync(file, mode)
          return asked((facts) => Effect.map(facts.exposure(file), Option.getOrThrow))
        }
        expect(yield* exposure(0o600)).toEqual({ readable: false, writable: false })
        expect(yield* exposure(0o640)).toEqual({ readable: true, writable: false })
        expect(yield* exposure(0o622)).toEqual({ readable: false, writable: true })
        fs.chmodSync(folder, 0o700)
        expect(yield* exposure(0o666)).toEqual({ readable: false, writable: false })
        expect(yield* asked((facts) => facts.exposure(join(folder, "absent")))).toEqual(Option.none())
      })
  )
})

it.live("the kernel answers whether its clock is kept", () =>
  Effect.gen(function* () {
    expect(typeof Option.getOrNull(yield* asked((facts) => facts.clockIsKept))).toBe("boolean")
  })
)
