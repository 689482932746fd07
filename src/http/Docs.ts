import type { OpenApi } from "@effect/platform"
import { escaped, plainPage } from "./Html.ts"

const METHODS = ["get", "post"] as const

type Operation = NonNullable<OpenApi.OpenAPISpec["paths"][string]["get"]>

const anchor = (text: string): string =>
  text
    .replace(/[^a-z0-9]+/gi, "-")
    .replace(/^-|-$/g, "")
    .toLowerCase()

const schemaOf = (schema: unknown): string => {
  const reference = /^\{"\$ref":"#\/components\/schemas\/([^"]+)"\}$/.exec(JSON.stringify(schema))?.[1]
  return reference === undefined
    ? `<details><summary>JSON Schema</summary><pre>${escaped(JSON.stringify(schema, null, 2))}</pre></details>`
    : `<a href="#schema-${anchor(reference)}">${escaped(reference)}</a>`
}

const parameters = ({ parameters }: Operation): string =>
  parameters.length === 0
    ? ""
    : `<table><thead><tr><th>parameter</th><th>in</th><th>what</th></tr></thead><tbody>${parameters
        .map(
          ({ in: place, name, required, schema }) =>
            `<tr><td><code>${escaped(name)}</code></td><td>${place}${required ? ", required" : ""}</td><td>${escaped(
              typeof schema.description === "string" ? schema.description : "text"
            )}</td></tr>`
        )
        .join("")}</tbody></table>`

const bodies = ({ requestBody, responses }: Operation): string => {
  const request = requestBody?.content["application/json"]?.schema
  const answers = Object.entries(responses)
    .filter(([status]) => Number(status) < 400)
    .map(([status, { content }]) => {
      const [type, found] = Object.entries(content ?? {})[0] ?? ["", undefined]
      const is = type === "application/json" ? schemaOf(found?.schema) : `<code>${escaped(type)}</code>`
      return `<p>${escaped(status)}: ${is}</p>`
    })
  return `${request === undefined ? "" : `<p>Body: ${schemaOf(request)}</p>`}${answers.join("")}`
}

const operation = (method: string, path: string, of: Operation): string =>
  `<section><h3 id="${anchor(`${method} ${path}`)}"><code>${method.toUpperCase()} ${escaped(path)}</code></h3>
<p>${escaped(of.summary ?? "")}. ${escaped(of.description ?? "")}</p>
${parameters(of)}${bodies(of)}</section>`

/** The document as a page that a person reads; it loads nothing but its style. */
export const docs = (document: OpenApi.OpenAPISpec): string => {
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const found = item[method]
      return found === undefined ? [] : [{ method, path, found, tag: found.tags?.[0] ?? "" }]
    })
  )
  const groups = document.tags.map(({ name }) => {
    const inside = all.filter(({ tag }) => tag === name)
    return `<h2 id="${anchor(name)}">${escaped(name)}</h2>${inside
      .map(({ found, method, path }) => operation(method, path, found))
      .join("\n")}`
  })
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<section><h3 id="schema-${anchor(name)}">${escaped(name)}</h3><pre>${escaped(
        JSON.stringify(schema, null, 2)
      )}</pre></section>`
  )
  return plainPage(
    `${document.info.title} API`,
    `<h1>${escaped(document.info.title)} API</h1>
<p>${escaped(document.info.description ?? "")} The same for programs: <a href="/api/openapi.json">openapi.json</a> (OpenAPI ${document.openapi}).
Every failure is <a href="#schema-problem">Problem</a>.</p>
${groups.join("\n")}
<h2 id="schemas">Schemas</h2>
${schemas.join("\n")}`
  )
}
