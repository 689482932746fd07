import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Effect, Either, Option } from "effect"
import { layer, load } from "../../../layers/config/ConfigFile.ts"
import { type ConfigInvalid, ConfigMissing } from "../../../src/config/ConfigError.ts"
import { RuntimeConfig, type Settings } from "../../../src/config/RuntimeConfig.ts"
import { fullProfile } from "../../config/samples.ts"

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "config-file-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
/** Writes files into a folder of their own; answers that folder. */
const files = (contents: Readonly<Record<string, unknown>>): string => {
  const root = join(folder, String(count++))
  for (const [name, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), typeof content === "string" ? content : JSON.stringify(content))
  }
  return root
}

const attempt = (path: string): Either.Either<Settings, ConfigInvalid | ConfigMissing> =>
  Effect.runSync(Effect.either(load(path)))
const good = (path: string): Settings =>
  Either.getOrThrowWith(attempt(path), (error) => new Error(error.message))
const bad = (path: string): string =>
  Either.match(attempt(path), { onLeft: (error) => error.message, onRight: () => "" })

const config = {
  runtimeName: "test",
  runtimePolicy: "Be good.",
  defaultProfile: "lumen",
  defaultAdapter: "local",
  profiles: { lumen: "lumen.json" },
  adapters: { local: { mode: "script", command: "./run.sh" } }
}
const sound = { "lumen.json": fullProfile }

describe("what is left out", () => {
  test("has the defaults of the contract", () => {
    const root = files({ ...sound, "runtime.json": config })
    const settings = good(join(root, "runtime.json"))
    expect(settings).toMatchObject({
      stateDir: join(root, "state"),
      logDir: join(root, "state/logs"),
      artifactDir: join(root, "state/artifacts"),
      dbPath: join(root, "state/runtime.db"),
      lockPath: join(root, "state/dispatch.lock"),
      maxAttempts: 3,
      retryBackoffSeconds: 60,
      durability: "full",
      skillDirs: [],
      budgets: [],
      dispatch: { concurrency: 1, drainSeconds: 30, untrustedAdapters: Option.none() },
      http: {
        host: "127.0.0.1",
        port: 4314,
        tokens: [],
        allowedHosts: [],
        allowedOrigins: [],
        loopbackRole: "operate"
      },
      retention: { completedDays: Option.none(), eventDays: Option.none(), artifactDays: Option.none() }
    })
    expect(settings.adapters.get("local")).toMatchObject({
      timeoutMs: 900_000,
      noOutputTimeoutMs: Option.none(),
      workspace: "shared",
      command: { given: "./run.sh", path: join(root, "run.sh") },
      untrustedArgs: false
    })
  })

  test("is read from parents, whose paths lie beside them", () => {
    const root = files({
      "base/lumen.json": fullProfile,
      "base/base.json": { ...config, skillDirs: ["skills"], maxAttempts: 9 },
      "host/runtime.json": {
        extends: "../base/base.json",
        maxAttempts: null,
        dbPath: "my.db",
        adapters: { mine: { mode: "script", command: "bin/mine", envFile: "~/mine.env" } },
        budgets: [{ id: "b", per: "all", window: "day", usd: 2.5 }],
        http: {
          tokens: [
            { name: "ops", role: "read", sha256: "AB".repeat(32) },
            { name: "file", role: "operate", tokenFile: "t" }
          ]
        }
      }
    })
    const settings = good(join(root, "host/runtime.json"))
    expect([...settings.files].sort()).toEqual(
      ["base/base.json", "base/lumen.json", "host/runtime.json"].map((path) => join(root, path))
    )
    expect(settings.maxAttempts).toBe(3)
    expect(settings.stateDir).toBe(join(root, "host/state"))
    expect(settings.dbPath).toBe(join(root, "host/my.db"))
    expect(settings.skillDirs).toEqual([{ given: "skills", path: join(root, "base/skills") }])
    expect(settings.adapters.get("local")).toMatchObject({ command: { path: join(root, "base/run.sh") } })
    expect(settings.adapters.get("mine")).toMatchObject({
      command: { path: join(root, "host/bin/mine") },
      envFile: Option.some({ given: "~/mine.env", path: join(homedir(), "mine.env") })
    })
    expect(settings.budgets).toEqual([
      {
        id: "b",
        per: "all",
        match: Option.none(),
        window: "day",
        unit: "usd",
        limit: 2.5,
        reserve: Option.none()
      }
    ])
    expect(settings.http.tokens).toEqual([
      { name: "ops", role: "read", secret: { sha256: "ab".repeat(32) } },
      { name: "file", role: "operate", secret: { tokenFile: { given: "t", path: join(root, "host/t") } } }
    ])
  })

  test("the layer provides what load answers", () => {
    const path = join(files({ ...sound, "runtime.json": config }), "runtime.json")
    expect(Effect.runSync(Effect.provide(RuntimeConfig, layer(path))).configPath).toBe(path)
  })
})

describe("all problems are told at once, a line each, with the file they stand in", () => {
  test("across parents, profiles, schema and references", () => {
    const root = files({
      "lumen.json": { ...fullProfile, styl: "x", context_policy: { max_prompt_chars: 3_999 } },
      "spark.json": { ...fullProfile, profile_id: "forge" },
      "base.json": {
        ...config,
        maxAttempts: 0,
        profiles: { lumen: "lumen.json", spark: "spark.json", gone: "gone.json" }
      },
      "runtime.json": {
        extends: "base.json",
        runtimeNam: "x",
        runtimePolicy: null,
        defaultAdapter: "locl",
        adapters: { other: { mode: "script", command: "x", timeoutMs: "5", timoutMs: 1 } }
      }
    })
    const lines = bad(join(root, "runtime.json")).replaceAll(`${root}/`, "").split("\n")
    expect(lines).toEqual([
      "runtime.json: runtimeNam is not a known key; did you mean `runtimeName`?",
      "runtime.json: runtimePolicy is missing (found null, which removes the key); expected text of 1 to 100,000 characters",
      "base.json: maxAttempts: found 0; expected an integer of at least 1",
      "runtime.json: adapters.other.timoutMs is not a known key; did you mean `timeoutMs`?",
      'runtime.json: adapters.other.timeoutMs: found "5"; expected an integer from 1000 to 2,147,483,647',
      'runtime.json: defaultAdapter: found "locl"; expected an id in `adapters`; did you mean `local`?',
      "lumen.json: styl is not a known key; did you mean `style`?",
      "lumen.json: context_policy.max_prompt_chars: found 3999; expected an integer from 4,000 to 10,000,000",
      'spark.json: profile_id: found "forge"; expected `spark`, the id that the configuration gives this file',
      'base.json: profiles.gone: found "gone.json"; expected the path of a profile file; there is no file at gone.json'
    ])
  })

  test("null removes no key that nobody knows, wherever it stands", () => {
    const tokens = [{ name: "ops", role: "read", sha256: "ab".repeat(32), rol: null, tokenFile: null }]
    const root = files({
      "lumen.json": fullProfile,
      "base.json": { ...config, retentionn: null, runtimeNam: "x", maxAttempts: 5 },
      "runtime.json": {
        extends: "base.json",
        runtimeNam: null,
        maxAttempts: null,
        dispatch: { concurency: null, drainSeconds: null },
        http: { tokens },
        profiles: { spark: null },
        adapters: {
          gone: null,
          local: { mode: "script", command: "x", timeoutMS: null, timeoutMs: null, env: { X: null } },
          other: { mode: null, driver: "codex" }
        }
      }
    })
    const lines = bad(join(root, "runtime.json")).replaceAll(`${root}/`, "").split("\n")
    expect(lines.filter((line) => line.includes("not a known key")).sort()).toEqual([
      "base.json: retentionn is not a known key; did you mean `retention`?",
      "runtime.json: adapters.local.timeoutMS is not a known key; did you mean `timeoutMs`?",
      "runtime.json: dispatch.concurency is not a known key; did you mean `concurrency`?",
      "runtime.json: http.tokens[0].rol is not a known key; did you mean `role`?",
      "runtime.json: runtimeNam is not a known key; did you mean `runtimeName`?"
    ])
  })

  test("a blank name of the runtime is named as blank", () => {
    const root = files({ ...sound, "runtime.json": { ...config, runtimeName: " " } })
    expect(bad(join(root, "runtime.json"))).toEndWith(
      'runtimeName: found " ", which is blank; expected text of 1 to 200 characters'
    )
  })

  test("a budget may name a built-in workflow template, and none that is not there", async () => {
    const budgets = (...matches: ReadonlyArray<string>) =>
      matches.map((match) => ({ id: match, per: "workflow", match, window: "day", usd: 1 }))
    const root = files({
      ...sound,
      "good.json": { ...config, budgets: budgets("goal-loop") },
      "bad.json": { ...config, budgets: budgets("goal-loop", "gaol-loop") }
    })
    // The templates are loaded where they are asked for.
    const loaded = (name: string) => Effect.runPromise(Effect.either(load(join(root, name))))
    const told = await loaded("bad.json")
    expect(Either.getOrThrow(await loaded("good.json")).budgets.length).toBe(1)
    expect(Either.isLeft(told) && told.left.message).toContain(
      'budgets[1].match: found "gaol-loop"; expected an id in `workflows`; did you mean `goal-loop`?'
    )
  })

  test("tokens and budgets say which of their forms is meant", () => {
    const root = files({
      ...sound,
      "runtime.json": {
        ...config,
        http: {
          tokens: [
            { name: "a", role: "read" },
            { name: "b", role: "read", tokenFile: "x", sha256: "a".repeat(64) }
          ]
        },
        budgets: [
          { id: "a", per: "all", window: "day" },
          { id: "b", per: "all", window: "day", usd: 1, tokens: 1 },
          { id: "c", per: "all", match: "local", window: "day", usd: 1 },
          { id: "d", per: "all", window: "day", tokens: 2, reserve: 5 },
          { id: "e", per: "each", window: "week", usd: -1, tokens: 1 }
        ]
      }
    })
    const lines = bad(join(root, "runtime.json")).replaceAll(`${root}/runtime.json: `, "").split("\n")
    const token = "expected a token with a name, a role and either a tokenFile or a sha256"
    const budget = "expected a budget with exactly one of usd, tokens and attempts"
    expect(lines).toEqual([
      `http.tokens[0]: it has neither \`tokenFile\` nor \`sha256\`; ${token}`,
      `http.tokens[1]: it has both \`tokenFile\` and \`sha256\`; ${token}`,
      'budgets[4].per: found "each"; expected one of adapter, profile, workflow, all',
      'budgets[4].window: found "week"; expected one of day, task',
      "budgets[4].usd: found -1; expected a number of US dollars above 0, at most 1,000,000,000",
      `budgets[0]: it has no limit; ${budget}`,
      `budgets[1]: it has 2 limits (usd, tokens); ${budget}`,
      'budgets[2].match: found "local"; expected no such key beside `per` all, which counts all attempts together; remove it, or count `per` adapter, profile or workflow',
      "budgets[3].reserve: found 5; expected at most 2, which is the whole budget: with more of it nothing would ever start; lower it, or remove it",
      `budgets[4]: it has 2 limits (usd, tokens); ${budget}`
    ])
  })

  test("a budget of nothing is refused in every unit: it would let nothing start, ever", () => {
    const none = (unit: string) => ({ id: unit, per: "all", window: "day", [unit]: 0 })
    const root = files({
      ...sound,
      "runtime.json": { ...config, budgets: ["usd", "tokens", "attempts"].map(none) }
    })
    expect(bad(join(root, "runtime.json")).replaceAll(`${root}/runtime.json: `, "").split("\n")).toEqual([
      "budgets[0].usd: found 0; expected a number of US dollars above 0, at most 1,000,000,000",
      "budgets[1].tokens: found 0; expected an integer of at least 1",
      "budgets[2].attempts: found 0; expected an integer of at least 1"
    ])
  })

  test("an attempt sets aside one attempt: any other `reserve` is refused, and 1 says what is so anyway", () => {
    const tries = (reserve: number) => ({
      id: `r${reserve}`,
      per: "all",
      window: "day",
      attempts: 2,
      reserve
    })
    const root = files({
      ...sound,
      "good.json": { ...config, budgets: [tries(1)] },
      "bad.json": { ...config, budgets: [tries(0), tries(0.5), tries(2), tries(5)] }
    })
    expect(good(join(root, "good.json")).budgets).toMatchObject([{ limit: 2, reserve: Option.some(1) }])
    expect(bad(join(root, "bad.json")).replaceAll(`${root}/bad.json: `, "").split("\n")).toEqual(
      [0, 0.5, 2, 5].map(
        (reserve, index) =>
          `budgets[${index}].reserve: found ${reserve}; expected 1 beside \`attempts\`, for an attempt is exactly one; remove it`
      )
    )
  })
})

describe("a file that cannot be used", () => {
  const one = (content: unknown): string => join(files({ ...sound, "runtime.json": content }), "runtime.json")

  test("a missing one says which path was tried and how to make one", () => {
    const path = join(folder, "nowhere/config/runtime.json")
    const result = attempt(path)
    expect(Either.isLeft(result) && result.left).toBeInstanceOf(ConfigMissing)
    expect(bad(path)).toBe(
      `there is no configuration file at ${path}; copying the example makes one: cp config/runtime.example.json config/runtime.json`
    )
  })

  test("where a copy of the example would not find what it names, the file that is told extends it and works", () => {
    const path = join(folder, "else where/runtime.json")
    const told = bad(path)
    expect(told).toStartWith(
      `there is no configuration file at ${path}; copying config/runtime.example.json makes`
    )
    const [, command = ""] = /one that extends it: (printf .*)$/.exec(told) ?? []
    mkdirSync(dirname(path))
    expect(Bun.spawnSync(["sh", "-c", command]).exitCode).toBe(0)
    expect(Either.isRight(attempt(path))).toBe(true)
  })

  test("a missing parent is a problem of the child", () => {
    const path = one({ extends: "../gone.json" })
    expect(bad(path)).toBe(
      `${path}: extends: found "../gone.json"; expected the path of a configuration file; there is no file at ${join(dirname(dirname(path)), "gone.json")}`
    )
  })

  test("a profile that lies as seen from the folder above is said to be there, as the original would have read it", () => {
    const root = files({
      "config/runtime.json": { ...config, profiles: { lumen: "./lumen.json" } },
      "lumen.json": {}
    })
    expect(bad(join(root, "config/runtime.json")).replaceAll(`${root}/`, "")).toBe(
      'config/runtime.json: profiles.lumen: found "./lumen.json"; expected the path of a profile file; there is no file at config/lumen.json (paths count from the folder of the file that holds them); there is one at ../lumen.json (lumen.json)'
    )
  })

  test("a folder in the place of a file that is named is a problem of the name", () => {
    const root = files({
      ...sound,
      "runtime.json": { ...config, profiles: { lumen: "lumen.json", odd: "." } }
    })
    expect(bad(join(root, "runtime.json"))).toBe(
      `${join(root, "runtime.json")}: profiles.odd: found "."; expected the path of a profile file; ${root} is a folder`
    )
    const path = one({ extends: "." })
    expect(bad(path)).toBe(
      `${path}: extends: found "."; expected the path of a configuration file; ${dirname(path)} is a folder`
    )
    expect(bad(root)).toBe(`${root}: it is a folder; expected a file; name a file in it`)
  })

  test("a cycle of parents is named", () => {
    const root = files({ "a.json": { extends: "b.json" }, "b.json": { extends: "a.json" } })
    expect(bad(join(root, "a.json"))).toContain(
      `closes a cycle: ${root}/a.json -> ${root}/b.json -> ${root}/a.json`
    )
  })

  test("a parent that is no path is refused like any wrong value", () => {
    const path = one({ ...config, extends: 5 })
    expect(bad(path)).toBe(`${path}: extends: found 5; expected a path of 1 to 4,096 characters`)
  })

  test("wrong JSON has its line, its column and a remedy", () => {
    const path = one('{\n  "runtimeName": "x",\n}')
    expect(bad(path)).toBe(
      `${path}: line 3, column 1: found "}" after a comma; expected another item; remove the comma`
    )
    const twice = one('{\n  "runtimeName": "x",\n  "runtimeName": "y"\n}')
    expect(bad(twice)).toBe(
      `${twice}: line 3, column 3: the key "runtimeName" stands twice in one object; expected each key once; it is also on line 2; remove one`
    )
  })

  test("a list, a folder, a large, a binary and an unreadable file are each called what they are", () => {
    expect(bad(one("[]"))).toEndWith("it holds no object; expected an object in braces")
    expect(bad(folder)).toBe(`${folder}: it is a folder; expected a file; name a file in it`)
    expect(bad(one(" ".repeat(4 * 1024 * 1024 + 1)))).toEndWith(
      "it has 4,194,305 bytes; expected at most 4 MiB"
    )
    expect(bad("/dev/null")).toBe("/dev/null: it is not a regular file; expected a file")
    const binary = one("")
    writeFileSync(binary, Uint8Array.of(0x7b, 0xff, 0x7d))
    expect(bad(binary)).toEndWith("it is not UTF-8 text; expected UTF-8; save it as UTF-8")
    expect(bad(one(""))).toEndWith("line 1, column 1: the file is empty; expected an object")
  })

  test.skipIf(process.getuid?.() === 0)("a file that this user may not read says so", () => {
    const path = one(config)
    chmodSync(path, 0o000)
    expect(bad(path)).toEndWith(
      "it cannot be read (EACCES); expected a file that this user may read; change its owner or mode"
    )
  })

  test("nothing is made or changed by loading", () => {
    const root = files({ ...sound, "runtime.json": config })
    good(join(root, "runtime.json"))
    expect(readdirSync(root).sort()).toEqual(["lumen.json", "runtime.json"])
  })
})
