import { HttpApi } from "@effect/platform"
import { Option } from "effect"
import { abridged } from "../domain/Abridged.ts"
import { Api } from "./Api.ts"
import { RequestRefused } from "./Failure.ts"
import { isPattern, patternOf } from "./Routes.ts"

/** What a route takes beside its path; undefined where it reads its parameters itself and refuses what it does not know. */
type Taken = ReadonlyArray<string> | undefined

export type More = ReadonlyArray<{ readonly path: string; readonly parameters: ReadonlyArray<string> }>

/** So many parameters that are not known are told. */
const MOST_TOLD = 100

const refused = (path: string, names: ReadonlyArray<string>, taken: ReadonlyArray<string>) => {
  const takes = taken.length === 0 ? "none" : taken.map((name) => JSON.stringify(name)).join(" | ")
  return new RequestRefused({
    status: 400,
    code: "input_invalid",
    error: names
      .slice(0, MOST_TOLD)
      .map((name) => `${abridged(name)} is not a known parameter, ${abridged(path)} takes ${takes}`)
      .join("\n")
  })
}

/** What each route takes, by its method and path. */
const routes = (more: More) => {
  const written = new Map<string, Taken>()
  const patterns: Array<{ readonly method: string; readonly pattern: RegExp; readonly taken: Taken }> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint: { method, path, urlParamsSchema } }) => {
      const taken: Taken = Option.isNone(urlParamsSchema) ? [] : undefined
      if (isPattern(path)) patterns.push({ method, pattern: patternOf(path), taken })
      else written.set(`${method} ${path}`, taken)
    }
  })
  for (const { parameters, path } of more) written.set(`GET ${path}`, parameters)
  return (method: string, path: string): Taken => {
    const exact = `${method} ${path}`
    if (written.has(exact)) return written.get(exact)
    return patterns.find((one) => one.method === method && one.pattern.test(path))?.taken
  }
}

/**
 * Judges what a request names beside its path, on routes whose contract has no parameters: those that have some tell
 * what they do not know by themselves. `more` are routes that are no part of the API.
 */
export const makeParameterJudge = (more: More) => {
  const takenBy = routes(more)
  /** Why a request is refused for its query; undefined when it is not. */
  return (method: string, url: string): RequestRefused | undefined => {
    const at = url.indexOf("?")
    if (at === -1) return undefined
    const path = url.slice(0, at)
    const taken = takenBy(method === "HEAD" ? "GET" : method, path)
    if (taken === undefined) return undefined
    const names = [...new Set(new URLSearchParams(url.slice(at)).keys())].filter(
      (name) => !taken.includes(name)
    )
    return names.length === 0 ? undefined : refused(path, names, taken)
  }
}
