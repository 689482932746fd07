import { expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { agentInit } from "../../src/operate/AgentInit.ts"
import { it } from "../support/effect.ts"
import { type FakeHost, fakeHost } from "../support/hostFiles.ts"

const ACTOR = { surface: "cli", name: "test" } as const
const PACKAGE = "/home/dev/agent-runtime/deploy/ember"
const OVERRIDE = "/home/dev/.config/agent-runtime/runtime.ember.host.json"
const UNIT = "/home/dev/.config/systemd/user/agent-runtime-operator@.service"
const EXAMPLE = "/home/dev/agent-runtime/config/runtime.example.json"

const templates: FakeHost = {
  agentPackage: [
    { name: "runtime.{{agent}}.json", text: '{ "extends": "../../config/runtime.example.json" }' },
    { name: "example.json", text: '{ "extends": "{{package}}/x" }' },
    { name: "DEPLOY.md", text: "cd {{package}}; {{unknown}}" }
  ],
  example: [
    { name: "runtime.json", text: "{}" },
    { name: "adapters/local.sh", text: "#!/bin/sh" }
  ]
}

const usual = {
  name: "ember",
  dir: Option.none<string>(),
  port: Option.none<number>(),
  mode: "resident" as const,
  dryRun: false
}

const made = (host: FakeHost, input: Partial<typeof usual> = {}) => {
  const { disk, layer } = fakeHost({ ...templates, ...host })
  return agentInit.run({ ...usual, ...input }, ACTOR).pipe(
    Effect.flatMap(Schema.encode(agentInit.output)),
    Effect.map((told) => ({ told, disk })),
    Effect.provide(layer)
  )
}

it.effect("in a checkout the package builds on its example configuration", () =>
  Effect.gen(function* () {
    const { disk, told } = yield* made({ files: { [EXAMPLE]: "{}" } })
    expect(told).toMatchObject({ agent: "ember", package: PACKAGE, config: OVERRIDE, dry_run: false })
    expect([...disk.keys()].sort()).toEqual(
      [
        EXAMPLE,
        OVERRIDE,
        UNIT,
        `${PACKAGE}/DEPLOY.md`,
        `${PACKAGE}/example.json`,
        `${PACKAGE}/runtime.ember.json`
      ].sort()
    )
    expect(disk.get(`${PACKAGE}/runtime.ember.json`)).toContain("../../config/runtime.example.json")
    expect(JSON.parse(disk.get(OVERRIDE) ?? "")).toEqual({ extends: `${PACKAGE}/runtime.ember.json` })
    expect(told.next[0]).toBe(`/home/dev/agent-runtime/dist/agent-runtime healthcheck --config ${OVERRIDE}`)
    expect(told.next.at(-1)).toBe("loginctl enable-linger")
  })
)

it.effect("elsewhere it brings the example configuration along", () =>
  Effect.gen(function* () {
    const { disk } = yield* made({}, { dir: Option.some("/srv/ember"), port: Option.some(4400) })
    expect(disk.get("/srv/ember/runtime.ember.json")).toContain('"base/runtime.json"')
    expect(disk.get("/srv/ember/base/adapters/local.sh")).toBe("#!/bin/sh")
    expect(JSON.parse(disk.get(OVERRIDE) ?? "")).toEqual({
      extends: "/srv/ember/runtime.ember.json",
      http: { port: 4400 }
    })
  })
)

it.effect("a folder of any name means itself in JSON and in the commands of a page", () =>
  Effect.gen(function* () {
    const folder = `/srv/it's "ember"`
    const { disk, told } = yield* made({}, { dir: Option.some(folder) })
    expect(JSON.parse(disk.get(`${folder}/example.json`) ?? "")).toEqual({ extends: `${folder}/x` })
    expect(disk.get(`${folder}/DEPLOY.md`)).toBe(`cd '/srv/it'\\''s "ember"'; {{unknown}}`)
    expect(told.next[1]).toContain(`--file '/srv/it'\\''s "ember"/backlog.json'`)
  })
)

it.effect("whatever is there already refuses it all, by name", () =>
  Effect.gen(function* () {
    for (const path of [`${PACKAGE}/DEPLOY.md`, OVERRIDE]) {
      const refused = yield* Effect.flip(made({ files: { [path]: "mine" } }))
      expect(refused).toMatchObject({ _tag: "Refusal", code: "file_exists", exitCode: 1 })
      expect(refused.message).toContain(path)
    }
    const unreadable = yield* Effect.flip(made({ unreadable: OVERRIDE }))
    expect(unreadable.message).toContain("cannot be read (EACCES)")
  })
)

it.effect("units of this user stay as they are", () =>
  Effect.gen(function* () {
    const { disk, told } = yield* made({ files: { [UNIT]: "mine" } })
    expect(disk.get(UNIT)).toBe("mine")
    expect(told.files).toContainEqual({ path: UNIT, change: "kept" })
  })
)

it.effect("a dry run tells the same and writes nothing", () =>
  Effect.gen(function* () {
    const { disk, told } = yield* made({}, { dryRun: true })
    expect(told.files.every(({ change }) => change === "created")).toBe(true)
    expect(disk.size).toBe(0)
  })
)
