import { hasUserInfo } from "./Addresses.ts"
import { budgetRules } from "./BudgetRules.ts"
import { type Finding, finding } from "./Issues.ts"
import { nearest, remedyFor } from "./NearMiss.ts"
import { found } from "./Shown.ts"
import { sameTokens } from "./TokenRules.ts"
import { FALLBACK, IDENTITY, RETRY_HINT, twoNames } from "./TwoNames.ts"

type Json = Readonly<Record<string, unknown>>

const objectAt = (value: unknown, key: string): Json => {
  const child = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined
  return typeof child === "object" && child !== null && !Array.isArray(child) ? child : {}
}

const valueAt = (item: unknown, key: string): unknown => Reflect.get(Object(item), key)

const listAt = (value: Json, key: string): ReadonlyArray<unknown> => {
  const child = value[key]
  return Array.isArray(child) ? child : []
}

/**
 * What a configuration names and does not have, and what it names twice. It reads the merged value before it
 * is decoded, and skips what is of the wrong type, so that all problems are told at once. `builtIn` are the
 * workflow templates that need no file; they are only asked for where `namesWorkflow`.
 */
export const references = (config: Json, builtIn: ReadonlyArray<string> = []): ReadonlyArray<Finding> => {
  const profiles = Object.keys(objectAt(config, "profiles"))
  const adapters = objectAt(config, "adapters")
  return [
    ...known(["defaultProfile"], config.defaultProfile, profiles, "profiles"),
    ...known(["defaultAdapter"], config.defaultAdapter, Object.keys(adapters), "adapters"),
    ...fallbacks(adapters),
    ...openAddresses(adapters),
    ...twoNames(["identity"], objectAt(config, "identity"), IDENTITY),
    ...dispatch(objectAt(config, "dispatch"), Object.keys(adapters)),
    ...twice(["http", "tokens"], listAt(objectAt(config, "http"), "tokens"), "name"),
    ...tokens(listAt(objectAt(config, "http"), "tokens")),
    ...budgetRules(listAt(config, "budgets")),
    ...twice(["budgets"], listAt(config, "budgets"), "id"),
    ...budgetMatches(listAt(config, "budgets"), {
      profile: profiles,
      adapter: Object.keys(adapters),
      workflow: [...new Set([...builtIn, ...Object.keys(objectAt(config, "workflows"))])]
    })
  ]
}

const known = (
  at: ReadonlyArray<PropertyKey>,
  id: unknown,
  ids: ReadonlyArray<string>,
  noun: "profiles" | "adapters" | "workflows"
): ReadonlyArray<Finding> =>
  typeof id !== "string" || ids.includes(id)
    ? []
    : [finding("unfit", at, found(id, []), `an id in \`${noun}\``, remedyFor(id, ids, noun))]

// codex takes its provider by an argument; claude-code, by a variable, which nobody else can read.
const openAddresses = (adapters: Json): ReadonlyArray<Finding> =>
  Object.keys(adapters).flatMap((id) => {
    const { driver, providerBaseUrl: address } = objectAt(adapters, id)
    if (driver !== "codex" || typeof address !== "string" || !URL.canParse(address)) return []
    if (!hasUserInfo(new URL(address))) return []
    return [
      finding(
        "rule",
        ["adapters", id, "providerBaseUrl"],
        "it holds a user or a password, which codex would be given as an argument that everybody on this host can read",
        "an address without them",
        "put the key into the adapter's envFile and name its variable in `providerEnvKey`"
      )
    ]
  })

const fallbackOf = (adapter: Json): { readonly key: string; readonly id: string } | undefined => {
  const key = FALLBACK.find((name) => typeof adapter[name] === "string")
  return key === undefined ? undefined : { key, id: String(adapter[key]) }
}

const fallbacks = (adapters: Json): ReadonlyArray<Finding> => {
  const ids = Object.keys(adapters)
  const told = new Set<string>()
  return ids.flatMap((id) => {
    const adapter = objectAt(adapters, id)
    const at = ["adapters", id]
    const fallback = fallbackOf(adapter)
    const names = [...twoNames(at, adapter, FALLBACK), ...twoNames(at, adapter, RETRY_HINT)]
    if (fallback === undefined) return names
    const around = cycle(adapters, id)
    const name = around === undefined ? "" : [...around].sort().join("\n")
    if (around === undefined || told.has(name))
      return [...names, ...known([...at, fallback.key], fallback.id, ids, "adapters")]
    told.add(name)
    const loop = [...around, id].join(" -> ")
    return [
      ...names,
      finding(
        "rule",
        [...at, fallback.key],
        `the fallbacks go in a circle: ${loop}`,
        "a chain that ends",
        "remove one of them"
      )
    ]
  })
}

/** The adapters between `start` and itself along their fallbacks. */
const cycle = (adapters: Json, start: string): ReadonlyArray<string> | undefined => {
  const path = [start]
  for (
    let at = fallbackOf(objectAt(adapters, start));
    at !== undefined;
    at = fallbackOf(objectAt(adapters, at.id))
  ) {
    if (at.id === start) return path
    if (path.includes(at.id)) return undefined
    path.push(at.id)
  }
  return undefined
}

const dispatch = (settings: Json, adapters: ReadonlyArray<string>): ReadonlyArray<Finding> => [
  ...Object.keys(objectAt(settings, "adapterConcurrency")).flatMap((id) =>
    known(["dispatch", "adapterConcurrency", id], id, adapters, "adapters")
  ),
  ...listAt(settings, "untrustedAdapters").flatMap((id, index) =>
    known(["dispatch", "untrustedAdapters", index], id, adapters, "adapters")
  )
]

const twice = (
  at: ReadonlyArray<PropertyKey>,
  items: ReadonlyArray<unknown>,
  key: string
): ReadonlyArray<Finding> => {
  const names = items.map((item) => valueAt(item, key))
  return names.flatMap((name, index) => {
    const first = names.indexOf(name)
    if (typeof name !== "string" || first === index) return []
    return [
      finding(
        "unfit",
        [...at, index, key],
        found(name, []),
        "a name that stands once",
        `item [${first}] has it too`
      )
    ]
  })
}

const textAt = (item: unknown, key: string): string | undefined => {
  const value = valueAt(item, key)
  return typeof value === "string" ? value : undefined
}

/** Tokens that are in files are compared where the files are read. */
const tokens = (items: ReadonlyArray<unknown>): ReadonlyArray<Finding> =>
  sameTokens(
    items.map((item) => ({
      name: textAt(item, "name"),
      key: "sha256",
      sha256: textAt(item, "sha256")?.toLowerCase()
    }))
  )

const NOUNS = { profile: "profiles", adapter: "adapters", workflow: "workflows" } as const

const isCounted = (per: unknown): per is keyof typeof NOUNS => typeof per === "string" && per in NOUNS

/** Whether a budget names a workflow template. */
export const namesWorkflow = (config: Json): boolean =>
  listAt(config, "budgets").some(
    (one) => Reflect.get(Object(one), "per") === "workflow" && Reflect.has(Object(one), "match")
  )

const budgetMatches = (
  budgets: ReadonlyArray<unknown>,
  ids: Readonly<Record<keyof typeof NOUNS, ReadonlyArray<string>>>
): ReadonlyArray<Finding> =>
  budgets.flatMap((budget, index) => {
    if (typeof budget !== "object" || budget === null) return []
    const at = ["budgets", index, "match"]
    const match: unknown = Reflect.get(budget, "match")
    const per: unknown = Reflect.get(budget, "per")
    return isCounted(per) ? known(at, match, ids[per], NOUNS[per]) : []
  })

/** What a profile or template file says of itself, under `key`, must be the id that the configuration gives it. */
export const misnamed = (key: string, id: string, name: string): ReadonlyArray<Finding> =>
  id === name
    ? []
    : [
        finding(
          "unfit",
          [key],
          found(name, []),
          `\`${id}\`, the id that the configuration gives this file`,
          nearest(name, [id]) === undefined ? "" : `write \`${id}\``
        )
      ]
