import { HttpApi } from "@effect/platform"
import { Context } from "effect"
import { abridged } from "../domain/Abridged.ts"
import { Api } from "./Api.ts"
import { TakesAnyName } from "./Contract.ts"
import { RequestRefused } from "./Failure.ts"

interface Known {
  readonly pattern: RegExp
  readonly methods: ReadonlySet<string>
}

/** What fits the path of a route. */
export const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/g, "[^/]+").replace(/\*/g, ".*")}$`)

type More = ReadonlyArray<{ readonly path: string; readonly methods: ReadonlyArray<string> }>

/** Whether a path of a route has parts that may be anything. */
export const isPattern = (path: string): boolean => /[:*]/.test(path)

/** The methods of all paths, and of those that take any name. */
const known = (more: More) => {
  const [methods, named] = [new Map<string, Set<string>>(), new Map<string, Set<string>>()]
  const add = (to: Map<string, Set<string>>, path: string, method: string) => {
    const found = to.get(path) ?? new Set(["OPTIONS"])
    to.set(path, found.add(method))
    if (method === "GET") found.add("HEAD")
  }
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      add(methods, endpoint.path, endpoint.method)
      if (Context.get(endpoint.annotations, TakesAnyName)) add(named, endpoint.path, endpoint.method)
    }
  })
  for (const one of more) for (const method of one.methods) add(methods, one.path, method)
  const patternsOf = (all: ReadonlyMap<string, ReadonlySet<string>>) =>
    [...all].map(([path, found]): Known => ({ pattern: patternOf(path), methods: found }))
  const among = (patterns: ReadonlyArray<Known>, path: string) =>
    patterns.filter(({ pattern }) => pattern.test(path)).flatMap((one) => [...one.methods])
  const [every, names] = [patternsOf(methods), patternsOf(named)]
  const written = new Map(
    [...methods]
      .filter(([path]) => !isPattern(path))
      .map(([path, found]) => [path, new Set([...found, ...among(names, path)])] as const)
  )
  return {
    /** The methods of a path that is written out; undefined for any other. */
    written: (path: string): ReadonlySet<string> | undefined => written.get(path),
    /** The methods of all that fit a path; none where nothing does. */
    fitting: (path: string): ReadonlySet<string> => written.get(path) ?? new Set(among(every, path))
  }
}

const ORDER = ["GET", "HEAD", "POST", "OPTIONS"]

const allowing = (methods: ReadonlySet<string>): string => ORDER.filter((one) => methods.has(one)).join(", ")

/**
 * Judges requests by the paths that there are; `more` are the routes that are no part of the API. A path that is
 * written out takes its own methods alone, also where a parameter could stand in its place; see TakesAnyName.
 */
export const makeJudge = (more: More) => {
  const { fitting, written } = known(more)
  const notAllowed = (path: string, method: string, methods: ReadonlySet<string>) => {
    const allow = allowing(methods)
    return new RequestRefused({
      status: 405,
      code: "method_not_allowed",
      error: `${abridged(path)} takes ${allow}, not ${method}`,
      headers: { allow }
    })
  }
  return {
    /** The methods that a path takes, as the header Allow has them; undefined where there is no such path. */
    allowed: (path: string): string | undefined => {
      const methods = fitting(path)
      return methods.size === 0 ? undefined : allowing(methods)
    },
    /** Why a request is refused before anybody looks at it; undefined when it is not. */
    objection: (method: string, path: string): RequestRefused | undefined => {
      const methods = written(path)
      return methods === undefined || methods.has(method) ? undefined : notAllowed(path, method, methods)
    },
    /** What a request is told that no route answers. */
    unanswered: (method: string, path: string): RequestRefused => {
      const methods = fitting(path)
      return methods.size > 0 && !methods.has(method)
        ? notAllowed(path, method, methods)
        : new RequestRefused({
            status: 404,
            code: "route_not_found",
            error: `there is no ${abridged(path)} here; /api/docs lists what there is`
          })
    }
  }
}
