import { OpenApi } from "@effect/platform"
import { onFirstUse } from "../domain/Wire.ts"
import { Api } from "./Api.ts"

const PROBLEM = { $ref: "#/components/schemas/Problem" } as const

const METHODS = ["get", "post", "put", "delete", "patch", "head", "options"] as const

const BEARER = { type: "http", scheme: "bearer", description: "A token of http.tokens" } as const

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
 * The OpenAPI 3.1 document of the API. Every failure is a Problem, those too that the builder has a form of its own
 * for; who may ask is told with each operation.
 */
export const openApi = onFirstUse((): OpenApi.OpenAPISpec => {
  const document = structuredClone(OpenApi.fromApi(Api))
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) {
      const operation = item[method]
      if (operation === undefined) continue
      for (const [status, response] of Object.entries(operation.responses))
        if (Number(status) >= 400) response.content = { "application/json": { schema: PROBLEM } }
      const isOpen = path === "/api/heartbeat"
      operation.security = isOpen ? [] : [{ bearer: [] }]
      operation.description = isOpen
        ? "Needs no token."
        : `Needs the role ${method === "get" ? "read" : "operate"}.`
    }
  document.components.securitySchemes = { bearer: BEARER }
  document.security = [{ bearer: [] }]
  document.components.schemas = used(document)
  return document
})
