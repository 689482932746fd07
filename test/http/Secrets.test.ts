import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { queue } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { type Asked, api, apiWorld } from "./api.ts"
import { type Route, routes, SOUND } from "./fuzz.ts"

const SECRET = "hunter2-hunter2"

/** The same value with each text and each name in it, one at a time, replaced by the secret. */
const bearing = (value: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(value))
    return value.flatMap((one, at) =>
      bearing(one).map((next) => value.map((old, i) => (i === at ? next : old)))
    )
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([key, one]) => [
      ...bearing(one).map((next) => ({ ...value, [key]: next })),
      { ...value, [SECRET]: one }
    ])
  return [SECRET]
}

const bodies = ({ method, path }: Route): ReadonlyArray<Asked> =>
  method === "GET"
    ? [{}]
    : [...bearing(SOUND[path] ?? {}), SECRET, `{"${SECRET}":`, { [SECRET]: SECRET }].map((body) => ({ body }))

const addresses = ({ path, query }: Route, taskId: string): ReadonlyArray<string> => {
  const named = path.replace(/\{\w+\}/g, SECRET)
  return [
    named,
    path.replace(/\{\w+\}/g, taskId),
    `${named}?${SECRET}=1`,
    `${named}/${SECRET}`,
    ...query.map((name) => `${named}?${name}=${SECRET}`)
  ]
}

describe("a secret of the configuration that stands in a request", () => {
  it.live("is in no answer to it, nor in one to those that come after it", () =>
    Effect.gen(function* () {
      const { ask } = yield* api({ secrets: [SECRET] })
      const taskId = yield* queue()
      const telling: Array<string> = []
      let refused = 0
      for (const route of routes().filter(({ path }) => path !== "/api/stream"))
        for (const address of addresses(route, taskId))
          for (const asked of bodies(route)) {
            const { status, text } = yield* ask(address, { ...asked, method: route.method })
            if (text.includes(SECRET)) telling.push(`${route.method} ${address} (${status}): ${text}`)
            if (status >= 400 && text.includes("[redacted]")) refused++
          }
      expect(telling).toEqual([])
      expect(refused).toBeGreaterThan(300)
    }).pipe(Effect.scoped, Effect.provide(apiWorld({ secrets: [SECRET] })))
  )
})
