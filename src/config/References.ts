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
  const profiles = new Set(Object.keys(objectAt(config, "profiles")))
  const adapters = objectAt(config, "adapters")
  const adapterIds = new Set(Object.keys(adapters))
  return [
    ...known(["defaultProfile"], config.defaultProfile, profiles, "profiles"),
    ...known(["defaultAdapter"], config.defaultAdapter, adapterIds, "adapters"),
    ...fallbacks(adapters, adapterIds),
    ...openAddresses(adapters),
    ...twoNames(["identity"], objectAt(config, "identity"), IDENTITY),
    ...dispatch(objectAt(config, "dispatch"), adapterIds),
    ...twice(["http", "tokens"], listAt(objectAt(config, "http"), "tokens"), "name"),
    ...tokens(listAt(objectAt(config, "http"), "tokens")),
    ...budgetRules(listAt(config, "budgets")),
    ...twice(["budgets"], listAt(config, "budgets"), "id"),
    ...budgetMatches(listAt(config, "budgets"), {
      profile: profiles,
      adapter: adapterIds,
      workflow: new Set([...builtIn, ...Object.keys(objectAt(config, "workflows"))])
    })
  ]
}

const known = (
  at: ReadonlyArray<PropertyKey>,
  id: unknown,
  ids: ReadonlySet<string>,
  noun: "profiles" | "adapters" | "workflows"
): ReadonlyArray<Finding> =>
  typeof id !== "string" || ids.has(id)
    ? []
    : [finding("unfit", at, found(id, []), `an id in \`${noun}\``, remedyFor(id, [...ids], noun))]

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

const fallbacks = (adapters: Json, ids: ReadonlySet<string>): ReadonlyArray<Finding> => {
  const circles = circlesIn(adapters)
  const told = new Set<ReadonlyArray<string>>()
  return [...ids].flatMap((id) => {
    const adapter = objectAt(adapters, id)
    const at = ["adapters", id]
    const fallback = fallbackOf(adapter)
    const names = [...twoNames(at, adapter, FALLBACK), ...twoNames(at, adapter, RETRY_HINT)]
    if (fallback === undefined) return names
    const circle = circles.get(id)
    if (circle === undefined || told.has(circle))
      return [...names, ...known([...at, fallback.key], fallback.id, ids, "adapters")]
    told.add(circle)
    const from = circle.indexOf(id)
    const loop = [...circle.slice(from), ...circle.slice(0, from), id].join(" -> ")
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

/** For each adapter whose fallbacks lead back to it the adapters of that circle; every adapter is walked from once. */
const circlesIn = (adapters: Json): ReadonlyMap<string, ReadonlyArray<string>> => {
  const circles = new Map<string, ReadonlyArray<string>>()
  const walked = new Set<string>()
  for (const start of Object.keys(adapters)) {
    const path = new Map<string, number>()
    let at: string | undefined = start
    while (at !== undefined && !walked.has(at)) {
      path.set(at, path.size)
      walked.add(at)
      at = fallbackOf(objectAt(adapters, at))?.id
    }
    const from = at === undefined ? undefined : path.get(at)
    if (from === undefined) continue
    const circle = [...path.keys()].slice(from)
    for (const id of circle) circles.set(id, circle)
  }
  return circles
}

const dispatch = (settings: Json, adapters: ReadonlySet<string>): ReadonlyArray<Finding> => [
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
  ids: Readonly<Record<keyof typeof NOUNS, ReadonlySet<string>>>
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
