import { HttpApi, type HttpServerRequest } from "@effect/platform"
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
  return [...methods].map(
    ([path, found]): Known => ({
      pattern: patternOf(path),
      methods: found.has("GET") ? found.add("HEAD") : found
    })
  )
}

const ORDER = ["GET", "HEAD", "POST", "OPTIONS"]

/**
 * What a request is told that no route answers: 404, or 405 with the methods of its path. `more` are the routes that
 * are no part of the API.
 */
export const makeUnanswered = (
  more: ReadonlyArray<{ readonly path: string; readonly methods: ReadonlyArray<string> }>
) => {
  const all = known(more)
  return ({ method, url }: Pick<HttpServerRequest.HttpServerRequest, "method" | "url">): RequestRefused => {
    const path = url.split("?", 1)[0] ?? ""
    const fitting = all.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods])
    const allow = ORDER.filter((one) => fitting.includes(one)).join(", ")
    return allow === ""
      ? new RequestRefused({
          status: 404,
          code: "route_not_found",
          error: `there is no ${path.slice(0, 200)} here; /api/docs lists what there is`
        })
      : new RequestRefused({
          status: 405,
          code: "method_not_allowed",
          error: `${path.slice(0, 200)} takes ${allow}, not ${method}`,
          headers: { allow }
        })
  }
}
