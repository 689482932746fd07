import { afterAll, beforeAll, describe, expect } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Option } from "effect"
import { layer, serviceOf } from "../../layers/HostFacts.ts"
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
        expect(yield* exposure(0o600)).toEqual({ kind: "file", readable: false, writable: false })
        expect(yield* exposure(0o640)).toEqual({ kind: "file", readable: true, writable: false })
        expect(yield* exposure(0o622)).toEqual({ kind: "file", readable: false, writable: true })
        fs.chmodSync(folder, 0o700)
        expect(yield* exposure(0o666)).toEqual({ kind: "file", readable: false, writable: false })
        expect(yield* asked((facts) => facts.exposure(join(folder, "absent")))).toEqual(Option.none())
      })
  )
})

it.live("a file was changed when it was written, or the link in its place set", () =>
  Effect.gen(function* () {
    const at = (path: string) =>
      asked((facts) =>
        Effect.map(
          facts.changedAt(path),
          Option.map(({ epochMillis }) => epochMillis)
        )
      )
    const [target, link] = [join(folder, "target"), join(folder, "link")]
    fs.writeFileSync(target, "")
    fs.utimesSync(target, 1_000, 1_000)
    expect(yield* at(target)).toEqual(Option.some(1_000_000))
    fs.symlinkSync(target, link)
    fs.lutimesSync(link, 2_000, 2_000)
    expect(yield* at(link)).toEqual(Option.some(2_000_000))
    fs.utimesSync(target, 3_000, 3_000)
    expect(yield* at(link)).toEqual(Option.some(3_000_000))
    expect(yield* at(join(folder, "absent"))).toEqual(Option.none())
  })
)

it.effect("a process belongs to the innermost of our services, whatever hierarchies there are", () =>
  Effect.sync(() => {
    const user = "0::/user.slice/user-7.slice/user@7.service/app.slice/agent-runtime-dispatch@a.service\n"
    expect(serviceOf(user)).toBe("agent-runtime-dispatch@a.service")
    expect(serviceOf(`1:name=systemd:/system.slice/agent-runtime-run-once@b.service/x\n0::/\n`)).toBe(
      "agent-runtime-run-once@b.service"
    )
    expect(serviceOf("0::/user.slice/user-7.slice/session-1.scope\n")).toBeUndefined()
  })
)

it.live("the kernel answers whether its clock is kept", () =>
  Effect.gen(function* () {
    expect(typeof Option.getOrNull(yield* asked((facts) => facts.clockIsKept))).toBe("boolean")
  })
)

it.live("a service is found where it was put, with its program and whether that can be run", () =>
  Effect.gen(function* () {
    const units = join(folder, "config", "systemd", "user")
    fs.mkdirSync(units, { recursive: true })
    fs.writeFileSync(join(units, "agent-runtime-a@.service"), "[Service]\nExecStart=/bin/sh serve\n")
    fs.writeFileSync(
      join(units, "agent-runtime-b@.service"),
      `[Service]\nExecStart="${folder}/no such 100%%" dispatch --wait\n`
    )
    fs.writeFileSync(join(units, "another.service"), "[Service]\nExecStart=/gone\n")
    const before = process.env.XDG_CONFIG_HOME
    process.env.XDG_CONFIG_HOME = join(folder, "config")
    try {
      const found = yield* asked((facts) => facts.installed)
      const mine = found
        .filter(({ path }) => path.startsWith(units))
        .sort((a, b) => (a.path < b.path ? -1 : 1))
      expect(mine.map(({ isThere, program }) => [program, isThere])).toEqual([
        ["/bin/sh", true],
        [`${folder}/no such 100%`, false]
      ])
    } finally {
      if (before === undefined) delete process.env.XDG_CONFIG_HOME
      else process.env.XDG_CONFIG_HOME = before
    }
  })
)
