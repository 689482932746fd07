import { describe, expect, test } from "bun:test"
import { Either, Schema } from "effect"
import { AdapterFile } from "../../src/config/AdapterSchema.ts"
import { EnvValue } from "../../src/config/Fields.ts"
import { ConfigurationFile } from "../../src/config/FileSchema.ts"
import { decode, sentence } from "../../src/config/Issues.ts"
import { Profile } from "../../src/domain/Profile.ts"
import { Intent } from "../../src/domain/Task.ts"
import { wireStruct } from "../../src/domain/Wire.ts"
import { badCases, wireKeys } from "../support/badCases.ts"
import { growsLinearly } from "../support/growth.ts"
import { fullConfig, fullIntent, fullProfile } from "./samples.ts"

const said = <A, I>(schema: Schema.Schema<A, I>, value: unknown): ReadonlyArray<string> =>
  Either.match(decode(schema)(value), {
    onLeft: (invalid) => invalid.problems.map(sentence),
    onRight: () => []
  })

const minimal = {
  runtimeName: "a",
  runtimePolicy: "b",
  defaultProfile: "c",
  defaultAdapter: "local",
  profiles: {}
}

describe("wrong values are told in one sentence each", () => {
  test("an intent with several faults names all of them by their wire names", () => {
    expect(
      said(Intent, {
        kind: "",
        source: 5,
        payload: [],
        priorty: 5,
        requested_profil: "a",
        max_attempts: 0.5,
        schedule: { delay_minutes: -1, x: 1 },
        available_at: "2026-02-31T00:00:00Z"
      })
    ).toEqual([
      "priorty is not a known key; did you mean `priority`?",
      "requested_profil is not a known key; did you mean `requested_profile`?",
      'kind: found ""; expected text of 1 to 200 characters',
      "source: found 5; expected text of 1 to 200 characters",
      "payload: found an empty list; expected an object",
      "max_attempts: found 0.5; expected an integer of at least 1",
      'available_at: found "2026-02-31T00:00:00Z"; expected an ISO 8601 time such as 2026-04-29T07:01:02.003Z',
      "schedule.x is not a known key; known keys: delay_minutes",
      "schedule.delay_minutes: found -1; expected a number of minutes from 0 to 5,256,000 (ten years)"
    ])
  })

  test("a value that is no object is one problem", () => {
    expect(said(Intent, null)).toEqual(["the value: found null; expected an object"])
    expect(said(Intent, [1])).toEqual(["the value: found a list of 1 item; expected an object"])
  })

  test("an integer is told of the upper end that it has passed", () => {
    const intent = { kind: "a", source: "b", payload: {} }
    expect(said(Intent, { ...intent, max_attempts: 1e20 })).toEqual([
      "max_attempts: found 100000000000000000000, which is above 9,007,199,254,740,991; expected an integer of at least 1"
    ])
    expect(said(Intent, { ...intent, max_attempts: 9_007_199_254_740_991 })).toEqual([])
  })

  test("a blank value is named as blank", () => {
    for (const [kind, found] of [
      [" ", '" "'],
      ["\t\n", '"\\t\\n"'],
      [" ".repeat(300), `"${" ".repeat(20)}"`]
    ])
      expect(said(Intent, { kind, source: "a", payload: {} })).toEqual([
        `kind: found ${found}, which is blank; expected text of 1 to 200 characters`
      ])
  })

  test("a missing key says what was expected", () => {
    expect(said(Intent, { source: "a", payload: {} })).toEqual([
      "kind is missing; expected text of 1 to 200 characters"
    ])
  })

  test("a filter's own words replace what was found", () => {
    expect(said(Intent, { kind: "a", source: "b", payload: { a: { b: Number.NaN } } })).toEqual([
      "payload: a.b is a number that JSON cannot hold; expected an object"
    ])
  })

  test("a choice lists the choices and the likely one", () => {
    expect(said(Profile, { ...fullProfile, style: "claud-like" })).toEqual([
      'style: found "claud-like"; expected one of claude-like, codex-like, hermes-like, quarantine; did you mean `claude-like`?'
    ])
  })

  test("a key of the wrong shape says which keys there are", () => {
    expect(said(Profile, { ...fullProfile, tool_policy: { repo: true } })).toEqual([
      "tool_policy.repo is not a known key; expected keys like this: a string matching the pattern ^allow_[a-z0-9_]+$"
    ])
  })

  test("long values are cut and items of lists have their index", () => {
    expect(said(Profile, { ...fullProfile, skills: ["a", 5], style: "x".repeat(500) })).toEqual([
      `style: found "${"x".repeat(77)}…"; expected one of claude-like, codex-like, hermes-like, quarantine`,
      "skills[1]: found 5; expected text"
    ])
  })

  test("what may be a secret is not shown, what stands beside it is", () => {
    const tokens = [{ name: "a", role: "reed", sha256: "deadbeef" }]
    const adapters = { local: { mode: "script", command: "x", env: { A_KEY: { secretEnv: "s3cr-t" } } } }
    const lines = said(ConfigurationFile, { ...minimal, http: { tokens }, adapters })
    expect(lines).toEqual([
      "adapters.local.env.A_KEY.secretEnv: found text of 6 characters; expected the name of an environment variable",
      'http.tokens[0].role: found "reed"; expected one of read, operate; did you mean `read`?',
      "http.tokens[0].sha256: found text of 8 characters; expected 64 hexadecimal digits"
    ])
  })

  test("keys with other letters are quoted in the path", () => {
    const schema = Schema.Record({ key: Schema.String, value: wireStruct({ maxCount: Schema.Int }) })
    expect(said(schema, { "a.b": { max_count: "x" } })).toEqual([
      '["a.b"].max_count: found "x"; expected an integer'
    ])
  })
})

describe("of a union only the member that was meant is judged", () => {
  test("the mode decides", () => {
    expect(said(AdapterFile, { mode: "script", comand: "x" })).toEqual([
      "comand is not a known key; did you mean `command`?",
      "command is missing; expected a path of 1 to 4,096 characters"
    ])
    expect(said(AdapterFile, { mode: "ollama-generate", endpoint: "nowhere", model: "m" })).toEqual([
      'endpoint: found "nowhere"; expected an http or https address such as http://127.0.0.1:11434'
    ])
  })

  test("an unknown or missing mode says the possible ones", () => {
    const modes = "one of script, agent-cli, ollama-generate, openai-chat"
    expect(said(AdapterFile, { mode: "scrpt", command: "x" })).toEqual([
      `mode: found "scrpt"; expected ${modes}; did you mean \`script\`?`
    ])
    expect(said(AdapterFile, { command: "x" })).toEqual([`mode is missing; expected ${modes}`])
    expect(said(AdapterFile, [])).toEqual(["the value: found an empty list; expected an object"])
  })

  test("without a discriminator the keys decide, and no key at all tells the forms", () => {
    const forms =
      'text, or a reference to a secret: { "secretFile": PATH }, { "secretEnv": NAME } or { "credential": NAME }'
    expect(said(EnvValue, { secretEnv: "not a name" })).toEqual([
      "secretEnv: found text of 10 characters; expected the name of an environment variable"
    ])
    expect(said(EnvValue, { secretFil: "x" })).toEqual([
      `the value: found an object with secretFil; expected ${forms}`
    ])
    expect(said(EnvValue, 5)).toEqual([`the value: found 5; expected ${forms}`])
    expect(said(EnvValue, [5])).toEqual([`the value: found a list of 1 item; expected ${forms}`])
    expect(said(EnvValue, "a\0b")).toEqual([`it holds a NUL character; expected ${forms}`])
  })

  test("a secret that was written where a reference belongs is not repeated", () => {
    const secret = "sk-live-1234567890"
    const adapter = { mode: "openai-chat", endpoint: "http://h/v1", model: "m", apiKey: secret }
    const [line] = said(AdapterFile, adapter)
    expect(line).toStartWith("apiKey: found text of 18 characters; expected a reference to a secret")
    expect(line).not.toContain(secret)
  })
})

const tables = [
  { name: "intent", schema: Intent, good: fullIntent, options: {}, least: 60 },
  { name: "profile", schema: Profile, good: fullProfile, options: {}, least: 50 },
  {
    name: "configuration",
    schema: ConfigurationFile,
    good: fullConfig,
    options: { nullRemoves: true },
    least: 250
  }
] as const

for (const { name, schema, good, options, least } of tables) {
  const anySchema: Schema.Schema<unknown, unknown> = Schema.make(schema.ast)
  describe(`every wrong ${name} is refused at its place`, () => {
    test("the sample is sound and has every key", () => {
      expect(said(anySchema, good)).toEqual([])
      expect(wireKeys(anySchema).filter((key) => !(key in good))).toEqual([])
    })

    const cases = badCases(anySchema, good, options)
    test(`there are at least ${least} cases`, () => expect(cases.length).toBeGreaterThanOrEqual(least))

    for (const bad of cases)
      test(bad.name, () => {
        const lines = said(anySchema, bad.input)
        expect(lines).toHaveLength(1)
        expect(lines[0]).toStartWith(
          `${bad.path}${bad.kind === "missing" || bad.kind === "near-miss key" ? " " : ": "}`
        )
        if (bad.likely !== "") expect(lines[0]).toContain(`did you mean \`${bad.likely}\`?`)
        if (bad.kind !== "near-miss key") expect(lines[0]).toContain("expected ")
      })
  })
}

describe("of very many unknown keys", () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]))
  const unknown = (lines: ReadonlyArray<string>) => lines.filter((line) => /is not a known key/.test(line))

  test("the first ones are named and the rest is counted, in whichever object they are", () => {
    const lines = said(Intent, { ...many(1_000), kind: 5, schedule: { delay_minutes: "x", ...many(50) } })
    expect(unknown(lines)).toHaveLength(80)
    expect(lines).toContain("960 more keys that are not known; expected known keys alone")
    expect(lines).toContain("schedule: 10 more keys that are not known; expected known keys alone")
    expect(lines.filter((line) => /^kind: |^schedule\.delay_minutes: /.test(line))).toHaveLength(2)
  })

  test("those of a payload are its own, and those of an item of a list are the item's", () => {
    const payload = many(1_000)
    expect(said(Intent, { kind: "a", source: "b", payload })).toEqual([])
    const Listed = wireStruct({ items: Schema.Array(wireStruct({ name: Schema.String })) })
    const lines = said(Listed, { items: [{ name: "a" }, { name: "b", ...many(41) }] })
    expect(unknown(lines)).toHaveLength(40)
    expect(lines).toContain("items[1]: 1 more key that is not known; expected known keys alone")
  })

  test("a very long one is cut", () => {
    expect(said(Intent, { kind: "a", source: "b", payload: {}, ["x".repeat(10_000)]: 1 })).toEqual([
      expect.stringMatching(/^x{199}… is not a known key|^\["x{199}…"\] is not a known key/)
    ])
  })

  test("none costs more than a known one", () =>
    growsLinearly((share) => void said(Intent, many(200_000 * share))))
})
