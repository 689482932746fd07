import { expect } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { installUnits } from "../../src/operate/Units.ts"
import { it } from "../support/effect.ts"
import { type FakeHost, fakeHost } from "../support/hostFiles.ts"

const ACTOR = { surface: "cli", name: "test" } as const
const UNIT = "/home/dev/.config/systemd/user/agent-runtime-operator@.service"
const TEXT = "# user\nExecStart=%h/agent-runtime/dist/agent-runtime serve\n"

const usual = {
  scope: "user" as "user" | "system",
  mode: "resident" as "resident" | "timer",
  agent: Option.some("ember"),
  program: Option.none<string>(),
  dryRun: false,
  force: false
}

const installed = (host: FakeHost, input: Partial<typeof usual> = {}) => {
  const { disk, layer } = fakeHost(host)
  return installUnits.run({ ...usual, ...input }, ACTOR).pipe(
    Effect.flatMap(Schema.encode(installUnits.output)),
    Effect.map((told) => ({ told, disk })),
    Effect.provide(layer)
  )
}

it.effect(
  "units are as the templates where the program lies where those say, and the commands start the agent",
  () =>
    Effect.gen(function* () {
      const { disk, told } = yield* installed({})
      expect(disk.get(UNIT)).toBe(TEXT)
      expect(told).toMatchObject({
        scope: "user",
        agent: "ember",
        units: [{ path: UNIT, change: "created" }],
        next: [
          "systemctl --user daemon-reload",
          "systemctl --user disable agent-runtime-dispatch@ember.timer",
          "systemctl --user enable --now agent-runtime-operator@ember.service agent-runtime-dispatch@ember.service",
          "loginctl enable-linger"
        ]
      })
    })
)

it.effect("the page of a unit is a URL that systemd takes, whatever the home folder is called", () =>
  Effect.gen(function* () {
    const units = [
      { name: "agent-runtime-operator@.service", text: "Documentation=file:%h/agent-runtime/x.md\n" }
    ]
    const page = (home: string) =>
      Effect.map(installed({ units, place: { home } }), ({ disk }) => disk.get(UNIT))
    expect(yield* page("/home/dev")).toBe("Documentation=file:%h/agent-runtime/x.md\n")
    for (const [home, url] of [
      ["/home/a b\t", "/home/a%%20b%%09"],
      [`/home/o'b"\\`, "/home/o%%27b%%22%%5C"],
      ["/home/é\ud800", "/home/%%C3%%A9%%EF%%BF%%BD"],
      ["/home/100%h$&", "/home/100%%25h%%24%%26"]
    ] as const)
      expect(yield* page(home)).toBe(`Documentation=file:${url}/agent-runtime/x.md\n`)
  })
)

it.effect("in timer mode the commands turn the resident one off", () =>
  Effect.gen(function* () {
    const { told } = yield* installed({}, { mode: "timer", agent: Option.none() })
    expect(told.agent).toBeNull()
    expect(told.next).toContain("systemctl --user disable agent-runtime-dispatch@NAME.service")
    expect(told.next.join("\n")).toContain("agent-runtime-dispatch@NAME.timer")
  })
)

it.effect("a program that lies elsewhere stands in the units, whatever its path is", () =>
  Effect.gen(function* () {
    const line = (program: string, host: FakeHost = {}) =>
      Effect.map(
        installed(host, { program: Option.some(program) }),
        ({ disk }) => disk.get(UNIT)?.split("\n")[1]
      )
    expect(yield* line("~/bin/agent-runtime")).toBe("ExecStart=/home/dev/bin/agent-runtime serve")
    expect(yield* line("dist/x")).toBe("ExecStart=/home/dev/agent-runtime/dist/x serve")
    expect(yield* line("/a b/100%$HOME")).toBe('ExecStart="/a b/100%%$HOME" serve')
    expect(yield* line("/it's/$x/100%")).toBe(`ExecStart=/usr/bin/env -- "/it's/$$x/100%%" serve`)
    const home = "/home/o'b"
    expect(yield* line("~/agent-runtime/dist/agent-runtime", { place: { home } })).toBe(
      `ExecStart=/usr/bin/env -- "${home}/agent-runtime/dist/agent-runtime" serve`
    )
    const running = { place: { program: Option.some("/usr/local/bin/agent-runtime") } }
    const { disk } = yield* installed(running)
    expect(disk.get(UNIT)).toContain("ExecStart=/usr/local/bin/agent-runtime serve")
    for (const odd of ["/a\nb", "/a\u0001b", "/it's=a"])
      expect((yield* Effect.flip(installed({}, { program: Option.some(odd) }))).message).toContain(
        "cannot stand"
      )
  })
)

it.effect(
  "a unit of another text is refused and nothing is written; force replaces it, the same text is none",
  () =>
    Effect.gen(function* () {
      const files = { [UNIT]: "mine\n" }
      const refused = yield* Effect.flip(installed({ files }))
      expect(refused).toMatchObject({ _tag: "Refusal", code: "unit_differs", exitCode: 1 })
      expect(refused.message).toContain(UNIT)
      const { disk, told } = yield* installed({ files }, { force: true })
      expect(told.units).toEqual([{ path: UNIT, change: "replaced" }])
      expect(disk.get(UNIT)).toBe(TEXT)
      const again = yield* installed({ files: { [UNIT]: TEXT } })
      expect(again.told.units).toEqual([{ path: UNIT, change: "unchanged" }])
    })
)

it.effect("a dry run tells the same and writes nothing", () =>
  Effect.gen(function* () {
    const { disk, told } = yield* installed({}, { dryRun: true })
    expect(told).toMatchObject({ dry_run: true, units: [{ path: UNIT, change: "created" }] })
    expect(disk.size).toBe(0)
  })
)

it.effect("for the system the user and the configuration come first, where they are missing", () =>
  Effect.gen(function* () {
    const system = { scope: "system" as const, dryRun: true }
    const bare = yield* installed({}, system)
    expect(bare.told.next.slice(0, 3)).toEqual([
      "useradd --system --user-group --home-dir /var/lib/agent-runtime --shell /usr/sbin/nologin agent-runtime",
      "install -d -m 0750 -g agent-runtime /etc/agent-runtime",
      `printf '%s\\n' '{"extends":"/opt/agent-runtime/deploy/ember/runtime.ember.json"}' | install -m 0640 -g agent-runtime /dev/stdin /etc/agent-runtime/runtime.ember.host.json`
    ])
    // The hardened units see no home folder, so not the program in it either.
    expect(bare.told.program).toBe("/opt/agent-runtime/dist/agent-runtime")
    const files = {
      "/etc/passwd":
        "root:x:0:0::/root:/bin/sh\nagent-runtime:x:990:990::/var/lib/agent-runtime:/bin/false\n",
      "/etc/agent-runtime/runtime.ember.host.json": "{}"
    }
    expect((yield* installed({ files }, system)).told.next[0]).toBe("systemctl daemon-reload")
  })
)

for (const name of ["", "Ember", "a/b", "../x", "-x", "a--b", "x".repeat(33), "scripts", "a b", "a%i"])
  it.effect(`${JSON.stringify(name)} is no name for an agent`, () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(installed({}, { agent: Option.some(name) }))
      expect(error).toMatchObject({ _tag: "Refusal", code: "agent_name_invalid", exitCode: 2 })
    })
  )

it.effect(
  "a program that is not there is told to be put there first, and a HOME that is no path is refused",
  () =>
    Effect.gen(function* () {
      const gone = yield* installed({ without: ["/gone"] }, { program: Option.some("/gone") })
      expect(gone.told.next[0]).toBe("install -D -m 0755 /home/dev/agent-runtime/dist/agent-runtime /gone")
      expect(yield* Effect.flip(installed({ place: { home: "rel" } }))).toMatchObject({
        code: "home_invalid"
      })
    })
)

it.effect("what is no program is not taken for one, nor for the place of one", () =>
  Effect.gen(function* () {
    const refused = (host: FakeHost) =>
      Effect.flip(installed({ ...host, without: ["/data"] }, { program: Option.some("/data") }))
    const file = yield* refused({ files: { "/data": "mine" } })
    expect(file).toMatchObject({ code: "program_invalid", exitCode: 2 })
    expect(file.message).toBe("/data is no program that this user can run")
    expect((yield* refused({ unreadable: "/data" })).message).toContain("can run (EACCES)")
  })
)

it.effect("the system's units are told to get the program that runs now where they cannot reach it", () =>
  Effect.gen(function* () {
    const program = "/opt/agent-runtime/dist/agent-runtime"
    const first = (without: ReadonlyArray<string>) =>
      Effect.map(installed({ without }, { scope: "system" }), ({ told }) => told.next[0])
    expect(yield* first([program])).toBe(
      `install -D -m 0755 /home/dev/agent-runtime/dist/agent-runtime ${program}`
    )
    expect(yield* first([])).toStartWith("useradd")
  })
)
