import { OpenApi } from "@effect/platform"
import { onFirstUse } from "../domain/Wire.ts"
import { Api } from "./Api.ts"
import { OPEN_PATHS } from "./Html.ts"
import { FORM, PAGES, PAGES_TAG } from "./OpenApiPages.ts"

const PROBLEM = { $ref: "#/components/schemas/Problem" } as const

const METHODS = ["get", "post", "put", "delete", "patch", "head", "options"] as const

/** Who has signed in: the page's way. */
const COOKIE = {
  type: "apiKey",
  in: "cookie",
  name: "agent_runtime_4314",
  description: "Set by POST /login; the end of its name is the port that the server listens on"
} as const

const EITHER = [{ bearer: [] }, { cookie: [] }]

const BEARER = { type: "http", scheme: "bearer", description: "A token of http.tokens" } as const

const OPEN = ["/api/heartbeat", ...OPEN_PATHS]

/** Components that nothing names any more are left out, and those that only they named. */
const used = (document: OpenApi.OpenAPISpec): OpenApi.OpenAPISpec["components"]["schemas"] => {
  const { schemas } = document.components
  const kept = new Set<string>()
  const follow = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      if (name !== undefined && schemas[name] !== undefined && !kept.has(name)) {
        kept.add(name)
        follow(schemas[name])
      }
  }
  follow(document.paths)
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => kept.has(name)))
}

/**
 * A document's own copy without the names that Effect gives to schemas of anything: it names each of them the same, and
 * a validator refuses a document in which two schemas have one name.
 */
const unnamed = <A>(document: A): A =>
  JSON.parse(JSON.stringify(document, (key, value) => (key === "$id" ? undefined : value)))

/** What every request may be answered with instead; each operation of the API names all of it. */
const failures = (document: OpenApi.OpenAPISpec): OpenApi.OpenAPISpecResponses =>
  Object.fromEntries(
    Object.entries(document.paths["/api/state"]?.get?.responses ?? {}).filter(
      ([status]) => Number(status) >= 400
    )
  )

/**
 * The OpenAPI 3.1 document of the API. Every failure is a Problem, those too that the builder has a form of its own
 * for; who may ask is told with each operation.
 */
export const openApi = onFirstUse((): OpenApi.OpenAPISpec => {
  const document = unnamed(OpenApi.fromApi(Api))
  const faults = failures(document)
  for (const { item, path } of PAGES) document.paths[path] = structuredClone(item)
  document.tags.push(PAGES_TAG)
  const asPage = new Set(PAGES.map(({ path }) => path).filter((path) => !OPEN.includes(path)))
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) {
      const operation = item[method]
      if (operation === undefined) continue
      operation.responses = { ...structuredClone(faults), ...operation.responses }
      for (const [status, response] of Object.entries(operation.responses))
        if (Number(status) >= 400)
          response.content = {
            "application/json": { schema: PROBLEM },
            ...(status === "401" && asPage.has(path) ? FORM : {})
          }
      const isOpen = OPEN.includes(path)
      operation.security = isOpen ? [] : EITHER
      operation.description = isOpen
        ? "Needs no token."
        : `Needs the role ${method === "get" ? "read" : "operate"}.`
    }
  document.components.securitySchemes = { bearer: BEARER, cookie: COOKIE }
  document.security = EITHER
  document.components.schemas = used(document)
  return document
})
