import { HttpApi } from "@effect/platform"
import { Api } from "./Api.ts"
import { RequestRefused } from "./Failure.ts"

interface Known {
  readonly pattern: RegExp
  readonly methods: ReadonlySet<string>
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/g, "[^/]+").replace(/\*/g, ".*")}$`)

const known = (more: ReadonlyArray<{ readonly path: string; readonly methods: ReadonlyArray<string> }>) => {
  const methods = new Map<string, Set<string>>()
  const add = (path: string, method: string) =>
    methods.set(path, (methods.get(path) ?? new Set(["OPTIONS"])).add(method))
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => void add(endpoint.path, endpoint.method)
  })
  for (const one of more) for (const method of one.methods) add(one.path, method)
  for (const found of methods.values()) if (found.has("GET")) found.add("HEAD")
  const isPattern = (path: string): boolean => /[:*]/.test(path)
  return {
    written: new Map<string, ReadonlySet<string>>([...methods].filter(([path]) => !isPattern(path))),
    patterns: [...methods].map(([path, found]): Known => ({ pattern: patternOf(path), methods: found }))
  }
}

const ORDER = ["GET", "HEAD", "POST", "OPTIONS"]

const told = (path: string): string => path.slice(0, 200)

/**
 * Judges requests by the paths that there are; `more` are the routes that are no part of the API. A path that is
 * written out takes its own methods alone, also where a parameter could stand in its place.
 */
export const makeJudge = (
  more: ReadonlyArray<{ readonly path: string; readonly methods: ReadonlyArray<string> }>
) => {
  const all = known(more)
  const notAllowed = (path: string, method: string, methods: ReadonlySet<string>) => {
    const allow = ORDER.filter((one) => methods.has(one)).join(", ")
    return new RequestRefused({
      status: 405,
      code: "method_not_allowed",
      error: `${told(path)} takes ${allow}, not ${method}`,
      headers: { allow }
    })
  }
  return {
    /** Why a request is refused before anybody looks at it; undefined when it is not. */
    objection: (method: string, path: string): RequestRefused | undefined => {
      const written = all.written.get(path)
      return written === undefined || written.has(method) ? undefined : notAllowed(path, method, written)
    },
    /** What a request is told that no route answers. */
    unanswered: (method: string, path: string): RequestRefused => {
      const methods = new Set(
        all.patterns.filter(({ pattern }) => pattern.test(path)).flatMap((one) => [...one.methods])
      )
      return methods.size > 0 && !methods.has(method)
        ? notAllowed(path, method, methods)
        : new RequestRefused({
            status: 404,
            code: "route_not_found",
            error: `there is no ${told(path)} here; /api/docs lists what there is`
          })
    }
  }
}
