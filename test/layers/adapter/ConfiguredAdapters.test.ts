import { expect } from "bun:test"
import { chmodSync, existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Layer, Option, TestClock } from "effect"
import * as ConfiguredAdapters from "../../../layers/adapter/ConfiguredAdapters.ts"
import { Processes } from "../../../layers/adapter/Process.ts"
import * as ScriptedAdapters from "../../../layers/adapter/ScriptedAdapters.ts"
import * as MemoryAudit from "../../../layers/artifact/MemoryAudit.ts"
import { type Adapter, AdapterRegistry, type StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import { Audit } from "../../../src/artifact/AuditFolder.ts"
import type { AdapterSettings } from "../../../src/config/AdapterSettings.ts"
import { RuntimeConfig, type Settings } from "../../../src/config/RuntimeConfig.ts"
import { AttemptId, TaskId } from "../../../src/domain/Ids.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"
import { settings } from "../../support/settings.ts"

const { scriptSettings } = ScriptedAdapters

const settingsWith = (adapters: ReadonlyArray<AdapterSettings>): Settings =>
  settings({ stateDir: "/s", adapters: new Map(adapters.map((adapter) => [adapter.id, adapter])) })

const neverRuns = Layer.succeed(Processes, { run: () => Effect.dieMessage("a probe must not run anything") })

const adapterOf = (settings: AdapterSettings): Effect.Effect<Adapter> =>
  Effect.flatMap(AdapterRegistry, ({ get }) => get(settings.id)).pipe(
    Effect.orDie,
    Effect.provide(
      ConfiguredAdapters.layer.pipe(
        Layer.provide(Layer.succeed(RuntimeConfig, settingsWith([settings]))),
        Layer.provide(neverRuns)
      )
    )
  )

it.effect(
  "a script that can be started passes its probe; an env file that others can read is a warning",
  () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "adapter.env")
      writeFileSync(path, "A=1\nodd\n")
      chmodSync(path, 0o644)
      const { probe } = yield* adapterOf(
        scriptSettings("a", {
          command: { given: "sh", path: "sh" },
          envFile: Option.some({ given: "x", path })
        })
      )
      expect(yield* probe).toEqual({
        ok: true,
        reason: "",
        remedy: "",
        warnings: [
          `env file ${path} can be read by others: chmod 600 ${path}`,
          `env file ${path}: not KEY=value in line 2, passed over`
        ]
      })
    })
)

it.effect(
  "a probe warns of secrets that are too short to be masked, and of nothing else in an env file",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [path, pin] = [join(folder, "adapter.env"), join(folder, "pin")]
      const plain = ["PORT=80", "DEBUG=true", "TMP=/tmp", "URL=a://b", "EMPTY=", "LONG=hunter22"]
      writeFileSync(path, [...plain, "PIN=x1y2z"].join("\n"), { mode: 0o600 })
      writeFileSync(pin, "p1n", { mode: 0o600 })
      const { probe } = yield* adapterOf(
        scriptSettings("a", {
          command: { given: "sh", path: "sh" },
          envFile: Option.some({ given: "x", path }),
          env: { OTHER: { secretFile: { given: "pin", path: pin } } }
        })
      )
      const warning = "has fewer than 6 characters and is not masked in what is stored"
      expect(yield* probe).toMatchObject({
        ok: true,
        warnings: [`PIN of env file ${path} ${warning}`, `env OTHER ${warning}`]
      })
    })
)

it.effect("a probe holds for 30 seconds and is then made anew", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryFolder, "tool")
    const { probe } = yield* adapterOf(scriptSettings("a", { command: { given: "tool", path } }))
    expect(yield* probe).toMatchObject({ ok: false, reason: `command ${path} is not there` })
    writeFileSync(path, "#!/bin/sh\n", { mode: 0o700 })
    expect(existsSync(path)).toBe(true)
    yield* TestClock.adjust("29 seconds")
    expect((yield* probe).ok).toBe(false)
    yield* TestClock.adjust("2 seconds")
    expect((yield* probe).ok).toBe(true)
  })
)

it.effect("a missing working directory is a finding with a remedy", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryFolder, "work")
    const { probe } = yield* adapterOf(
      scriptSettings("a", {
        command: { given: "sh", path: "sh" },
        workingDir: Option.some({ given: "work", path })
      })
    )
    expect(yield* probe).toEqual({
      ok: false,
      reason: `working directory ${path} is not there`,
      remedy: `mkdir -p ${path}`,
      warnings: []
    })
  })
)

it.effect("an unknown id is none, a known one is listed", () =>
  Effect.gen(function* () {
    const { ids, get } = yield* AdapterRegistry
    expect([ids, Option.isSome(get("a")), Option.isNone(get("b"))]).toEqual([["a"], true, true])
  }).pipe(Effect.provide(ScriptedAdapters.layer({ a: () => Effect.succeed({}) })))
)

it.effect("a mode that this build does not have says so, by probe and by attempt, and ends permanently", () =>
  Effect.gen(function* () {
    const { mode: _mode, ...common } = scriptSettings("m")
    const { probe, execute } = yield* adapterOf({
      ...common,
      mode: "openai-chat",
      endpoint: "http://127.0.0.1:1/v1",
      model: "m",
      apiKey: Option.none()
    })
    const reason = "mode openai-chat is not in this build yet"
    expect(yield* probe).toMatchObject({ ok: false, reason })
    const audit = yield* Effect.flatMap(Audit, ({ open }) => open(TaskId.make("t"), AttemptId.make("a")))
    const execution = yield* execute({
      taskId: TaskId.make("t"),
      attemptId: AttemptId.make("a"),
      prompt: "",
      payload: {},
      args: [],
      model: Option.none(),
      untrusted: false,
      withheld: [],
      bundlePath: "",
      promptPath: "",
      audit,
      traceParent: Option.none(),
      stop: yield* Deferred.make<StopReason>(),
      started: () => Effect.void
    })
    expect(execution).toMatchObject({
      exitStatus: "error",
      retryClass: "permanent",
      reason: Option.some(reason)
    })
  }).pipe(Effect.provide(MemoryAudit.layer))
)
