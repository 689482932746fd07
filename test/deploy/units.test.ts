import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { documentationPath } from "../../src/artifact/UnitProgram.ts"
import { inPlace } from "../e2e/inPlace.ts"
import type { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"

setDefaultTimeout(30_000)

const folder = fileURLToPath(new URL("../../deploy/systemd", import.meta.url))
const unitsIn = (path: string) => readdirSync(path).filter((name) => name.startsWith("agent-runtime-"))
const names = [
  "agent-runtime-dispatch@.service",
  "agent-runtime-dispatch@.timer",
  "agent-runtime-operator@.service",
  "agent-runtime-run-once@.service"
]

test("there is each unit for a user and for the system, and none switches the compiler off", () => {
  for (const path of [folder, join(folder, "system")]) {
    expect(unitsIn(path).sort()).toEqual(names)
    for (const name of names)
      expect(readFileSync(join(path, name), "utf8")).not.toMatch(/^(MemoryDenyWriteExecute|LimitAS)=/m)
  }
})

test("what keeps a sandbox of an agent from working is taken from the server alone", () => {
  const masks =
    /^(ProtectKernelTunables|ProtectProc|ProcSubset|ProtectHostname|ProtectKernelLogs|RestrictNamespaces)=/m
  const text = (name: string) => readFileSync(join(folder, "system", name), "utf8")
  expect(text("agent-runtime-operator@.service")).toMatch(masks)
  for (const name of ["agent-runtime-dispatch@.service", "agent-runtime-run-once@.service"])
    expect(text(name)).not.toMatch(masks)
})

/** The units of a scope with the program of this test in them, each with an instance to be judged by. */
const instances = (place: Place, from: string) => {
  const to = place.path("units")
  mkdirSync(to, { recursive: true })
  for (const name of names)
    writeFileSync(
      join(to, name),
      readFileSync(join(from, name), "utf8").replaceAll(/^ExecStart=\S+/gm, `ExecStart=${place.program}`)
    )
  return names.map((name) => join(to, name.replace("@", "@ember")))
}

const analyze = (place: Place, args: ReadonlyArray<string>) => {
  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: place.folder, XDG_RUNTIME_DIR: place.folder }
  const { exitCode, stderr, stdout } = Bun.spawnSync(["systemd-analyze", ...args], { env, stdin: "ignore" })
  return { code: exitCode, text: `${stdout}${stderr}` }
}

needs("systemd-analyze")("systemd finds nothing wrong with any of them", () =>
  inPlace({}, async (place) => {
    for (const [scope, from] of [
      ["--user", folder],
      ["--system", join(folder, "system")]
    ] as const) {
      const { code, text } = analyze(place, [scope, "verify", "--man=no", ...instances(place, from)])
      expect({ scope, code, text }).toEqual({ scope, code: 0, text: "" })
    }
  })
)

needs("systemd-analyze")("systemd takes the page of a unit for a URL, whatever lies in its path", () =>
  inPlace({}, async (place) => {
    const page = documentationPath(`/home/a b\t'"\\é%h$;`)
    const unit = place.path("page.service")
    writeFileSync(unit, `[Unit]\nDocumentation=file:${page}/x.md\n[Service]\nExecStart=/bin/true\n`)
    expect(analyze(place, ["--user", "verify", "--man=no", unit])).toEqual({ code: 0, text: "" })
  })
)

needs("systemd-analyze")("the units of the system are exposed no more than they have to be", () =>
  inPlace({}, async (place) => {
    instances(place, join(folder, "system"))
    for (const [name, most] of [
      ["operator", 1.5],
      ["dispatch", 3.2],
      ["run-once", 3.2]
    ] as const) {
      const unit = place.path("units", `agent-runtime-${name}@.service`)
      const { text } = analyze(place, ["security", "--offline=true", "--no-pager", unit])
      const level = Number(/Overall exposure level for \S+: (\d+\.\d+)/.exec(text)?.[1])
      expect(level).toBeGreaterThan(0)
      expect(level).toBeLessThanOrEqual(most)
    }
  })
)
