import { describe, expect, test } from "bun:test"
import { sentence } from "../../src/config/Issues.ts"
import { distance, nearest } from "../../src/config/NearMiss.ts"
import { references } from "../../src/config/References.ts"
import { growsLinearly } from "../support/growth.ts"

const base = {
  defaultProfile: "lumen",
  defaultAdapter: "local",
  profiles: { lumen: "lumen.json" },
  adapters: { local: { mode: "script" }, codex: { mode: "agent-cli" }, claude: { mode: "agent-cli" } }
}

const told = (change: Readonly<Record<string, unknown>>) =>
  references({ ...base, ...change }, ["goal-loop"]).map(sentence)

describe("cross references", () => {
  test("a sound configuration has none that are wrong", () => expect(told({})).toEqual([]))

  test("defaults must exist, and a near miss is named", () => {
    expect(told({ defaultProfile: "lumne", defaultAdapter: "remote" })).toEqual([
      'defaultProfile: found "lumne"; expected an id in `profiles`; did you mean `lumen`?',
      'defaultAdapter: found "remote"; expected an id in `adapters`; known adapters: local, codex, claude'
    ])
  })

  test("fallbacks must exist, under either name", () => {
    expect(
      told({
        adapters: { ...base.adapters, codex: { fallbackAdapter: "claud" }, claude: { fallback_adapter: "x" } }
      })
    ).toEqual([
      'adapters.codex.fallbackAdapter: found "claud"; expected an id in `adapters`; did you mean `claude`?',
      'adapters.claude.fallback_adapter: found "x"; expected an id in `adapters`; known adapters: local, codex, claude'
    ])
  })

  test("a circle of fallbacks is told once and names its way", () => {
    const adapters = {
      local: { fallbackAdapter: "codex" },
      codex: { fallbackAdapter: "claude" },
      claude: { fallback_adapter: "codex" }
    }
    expect(told({ adapters })).toEqual([
      "adapters.codex.fallbackAdapter: the fallbacks go in a circle: codex -> claude -> codex; expected a chain that ends; remove one of them"
    ])
    expect(told({ adapters: { ...base.adapters, codex: { fallbackAdapter: "codex" } } })).toHaveLength(1)
  })

  test("a long chain of fallbacks is walked once", () =>
    growsLinearly((share) => {
      const ids = Array.from({ length: 16_000 * share }, (_, at) => `a${at}`)
      const adapters = Object.fromEntries(
        ids.map((id, at) => [id, at === 0 ? {} : { fallbackAdapter: `a${at - 1}` }])
      )
      expect(told({ defaultAdapter: "a0", adapters })).toEqual([])
    }))

  test("codex is given no address with a password, which would stand in its arguments", () => {
    const codex = { mode: "agent-cli", driver: "codex", providerBaseUrl: "http://usr:pass@127.0.0.1:1/v1" }
    expect(told({ adapters: { ...base.adapters, codex } })).toEqual([
      "adapters.codex.providerBaseUrl: it holds a user or a password, which codex would be given as an argument that everybody on this host can read; expected an address without them; put the key into the adapter's envFile and name its variable in `providerEnvKey`"
    ])
    const others = {
      codex: { ...codex, providerBaseUrl: "http://127.0.0.1:1/v1" },
      claude: { ...codex, driver: "claude-code" }
    }
    expect(told({ adapters: { ...base.adapters, ...others } })).toEqual([])
  })

  test("both names of one key are one too many", () => {
    const local = {
      fallbackAdapter: "codex",
      fallback_adapter: "codex",
      retryHintService: "aibtc",
      retry_hint_service: "hiro"
    }
    expect(
      told({ adapters: { ...base.adapters, local }, identity: { identityPath: "a", soulPath: "b" } })
    ).toEqual([
      "adapters.local.fallback_adapter: it stands beside `fallbackAdapter`, which means the same; expected one of the two; remove `fallback_adapter`",
      "adapters.local.retry_hint_service: it stands beside `retryHintService`, which means the same; expected one of the two; remove `retry_hint_service`",
      "identity.soulPath: it stands beside `identityPath`, which means the same; expected one of the two; remove `soulPath`"
    ])
  })

  test("dispatch and budgets name what exists, tokens and budgets have names of their own", () => {
    expect(
      told({
        dispatch: { adapterConcurrency: { codx: 1 }, untrustedAdapters: ["local", "lokal"] },
        http: { tokens: [{ name: "a" }, { name: "a" }] },
        budgets: [
          { id: "x", per: "adapter", match: "codexx", usd: 1 },
          { id: "x", per: "profile", match: "local", usd: 1 },
          { id: "y", per: "workflow", match: "goal-loop", usd: 1 },
          { id: "z", per: "workflow", match: "goalloop", usd: 1 },
          { id: "o", per: "workflow", match: "my-own", usd: 1 }
        ],
        workflows: { "my-own": "own.json" }
      })
    ).toEqual([
      'dispatch.adapterConcurrency.codx: found "codx"; expected an id in `adapters`; did you mean `codex`?',
      'dispatch.untrustedAdapters[1]: found "lokal"; expected an id in `adapters`; did you mean `local`?',
      'http.tokens[1].name: found "a"; expected a name that stands once; item [0] has it too',
      'budgets[1].id: found "x"; expected a name that stands once; item [0] has it too',
      'budgets[0].match: found "codexx"; expected an id in `adapters`; did you mean `codex`?',
      'budgets[1].match: found "local"; expected an id in `profiles`; known profiles: lumen',
      'budgets[3].match: found "goalloop"; expected an id in `workflows`; did you mean `goal-loop`?'
    ])
  })

  test("one token under two names is told with both keys, in whatever case it is written", () => {
    const [first, second] = ["ab".repeat(32), "cd".repeat(32)]
    const tokens = [
      { name: "reader", role: "read", sha256: first },
      { name: "other", role: "read", sha256: second },
      { name: "steerer", role: "operate", sha256: first.toUpperCase() },
      { name: "filed", role: "read", tokenFile: "t" },
      { name: "filed-too", role: "read", tokenFile: "t2" }
    ]
    expect(told({ http: { tokens } })).toEqual([
      "http.tokens[2].sha256: token steerer is the same as token reader (http.tokens[0].sha256); expected a token that stands once; give one of the two another token, or remove it"
    ])
  })

  test("values of the wrong type are left to the schema", () => {
    expect(
      references({
        defaultProfile: 5,
        profiles: [],
        adapters: "x",
        dispatch: 1,
        http: null,
        budgets: [1, null],
        identity: []
      })
    ).toEqual([])
  })
})

describe("near misses", () => {
  test("case, underscores and swapped letters count little", () => {
    const keys = ["timeoutMs", "model", "mode", "command"]
    expect(nearest("timeout_ms", keys)).toBe("timeoutMs")
    expect(nearest("TIMEOUTMS", keys)).toBe("timeoutMs")
    expect(nearest("modle", keys)).toBe("model")
    expect(nearest("comand", keys)).toBe("command")
    expect(nearest("zzz", keys)).toBeUndefined()
    expect(nearest("", keys)).toBeUndefined()
    expect(nearest("q", ["b", "c"])).toBeUndefined()
    expect(nearest("qd", ["bd"])).toBe("bd")
    expect(nearest("x".repeat(5_000), keys)).toBeUndefined()
  })

  test("a swap of neighbours is one step", () => {
    expect(distance("ab", "ba")).toBe(1)
    expect(distance("kitten", "sitting")).toBe(3)
    expect(distance("", "abc")).toBe(3)
  })
})
