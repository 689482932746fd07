import type { OpenApi } from "@effect/platform"

type Paths = OpenApi.OpenAPISpec["paths"]
type Operation = NonNullable<Paths[string]["get"]>
type Answers = Readonly<Record<number, readonly [type: string, description: string]>>

const TEXT = { type: "string" } as const
const HTML = "text/html"
const JSON_TYPE = "application/json"
const PROBLEM = { $ref: "#/components/schemas/Problem" } as const

/** What the document says of the routes that are no part of the API. */
export const PAGES_TAG = {
  name: "pages",
  description: "What a browser opens, how it signs in, and this document itself"
} as const

/** What a browser gets in place of a page until it has signed in. */
export const FORM = { [HTML as string]: { schema: TEXT } }

const schemaOf = (type: string) =>
  type === JSON_TYPE ? { type: "object" as const, required: [], properties: {} } : TEXT

const operation = (operationId: string, summary: string, answers: Answers): Operation => ({
  operationId: `pages.${operationId}`,
  summary,
  tags: [PAGES_TAG.name],
  parameters: [],
  security: [],
  responses: Object.fromEntries(
    Object.entries(answers).map(([status, [type, description]]) => [
      status,
      {
        description,
        ...(type === ""
          ? {}
          : { content: { [type]: { schema: Number(status) < 400 ? schemaOf(type) : PROBLEM } } })
      }
    ])
  )
})

const view = (operationId: string, summary: string, what: string): Operation => ({
  ...operation(operationId, summary, {
    200: [JSON_TYPE, what],
    404: [JSON_TYPE, "There is nothing of that path"]
  }),
  parameters: [
    {
      name: "path",
      in: "query",
      required: false,
      schema: { type: "string", description: "where it lies; without one the topmost" }
    }
  ]
})

const TOKEN = {
  type: "object" as const,
  required: ["token"],
  properties: { token: TEXT, next: { type: "string" as const, description: "the path to go to afterwards" } }
}

const signIn: Operation = {
  ...operation("sign_in", "Signs a browser in: takes a token, sets a cookie that scripts cannot read", {
    200: [JSON_TYPE, "Signed in, where the token came as JSON"],
    303: ["", "Signed in, where the token came from the form"],
    400: [JSON_TYPE, "There is no token"],
    401: [JSON_TYPE, "The token is not known"],
    429: [JSON_TYPE, "Too many wrong tokens came from this address"]
  }),
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: TOKEN },
      "application/x-www-form-urlencoded": { schema: TOKEN }
    }
  }
}

/** The paths that are no part of the API. */
export const PAGES: ReadonlyArray<{
  readonly path: string
  readonly item: Paths[string]
}> = [
  { path: "/", item: { get: operation("page", "The operator page", { 200: [HTML, "The page"] }) } },
  {
    path: "/artifacts",

    item: {
      get: view(
        "artifacts",
        "Artifacts as JSON that a person reads",
        "A folder as its list, a file as itself"
      )
    }
  },
  {
    path: "/snapshots",

    item: { get: view("snapshots", "Snapshots as JSON that a person reads", "The list, or one of them") }
  },
  {
    path: "/api/openapi.json",

    item: { get: operation("document", "This document", { 200: [JSON_TYPE, "OpenAPI 3.1"] }) }
  },
  {
    path: "/api/docs",

    item: { get: operation("docs", "This document for people", { 200: [HTML, "A page without script"] }) }
  },
  {
    path: "/login",

    item: { get: operation("login", "The form to sign in with", { 200: [HTML, "The form"] }), post: signIn }
  },
  {
    path: "/logout",

    item: {
      post: operation("sign_out", "Takes the cookie away", { 200: [JSON_TYPE, "Signed out"] })
    }
  }
]
