import { HttpApiBuilder, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Option, Schema } from "effect"
import type { KnownSecrets } from "../artifact/KnownSecrets.ts"
import { Access } from "./Access.ts"
import { json, responding } from "./Answer.ts"
import { jsonBody, textBody } from "./Body.ts"
import { RequestRefused } from "./Failure.ts"
import { escaped, plainPage, STYLE, STYLE_PATH } from "./Html.ts"
import { SESSION_SECONDS } from "./Session.ts"
import type { Streams } from "./Streams.ts"

/** The routes by which a browser signs in, beside those of the API. */
export const SIGN_IN_ROUTES = [
  { path: "/login", methods: ["GET", "POST"] },
  { path: "/logout", methods: ["POST"] },
  { path: STYLE_PATH, methods: ["GET"] }
] as const

/** A token with all that stands beside it in a form. */
const MOST_BYTES = 8 * 1024

/** The place to go to afterwards: one of this server, else its page. */
const placeOf = (next: string | undefined): string =>
  next !== undefined && /^\/(?!\/)[\w\-./?=&%~+:,@]*$/.test(next) ? next : "/"

const form = (next: string, wrong: string | undefined): string =>
  plainPage(
    "Sign in",
    `<h1>Sign in</h1>
<p>This runtime asks everybody on the network for a token. It is kept in a cookie that scripts cannot read.</p>
${wrong === undefined ? "" : `<p role="alert">${escaped(wrong)}</p>\n`}<form method="post" action="/login">
<input type="hidden" name="next" value="${escaped(next)}">
<label>Token <input type="password" name="token" required autocomplete="current-password" autofocus></label>
<button type="submit">Sign in</button>
</form>`
  )

/** Why somebody is not let in, as a sentence, and what to do where they may have the wrong token. */
const wrongWords = (status: number, error: string): string =>
  `${error.charAt(0).toUpperCase()}${error.slice(1)}.${
    status === 401 ? " Look into the configuration under http.tokens, or ask who runs this." : ""
  }`

const page = (status: number, next: string, wrong?: string) =>
  HttpServerResponse.text(form(next, wrong), { status, contentType: "text/html; charset=utf-8" })

/** What a browser that has no token gets instead of a page: the form. None to a program. */
export const locked = ({
  headers,
  method,
  url
}: HttpServerRequest.HttpServerRequest): Option.Option<HttpServerResponse.HttpServerResponse> =>
  (method === "GET" || method === "HEAD") &&
  !url.startsWith("/api/") &&
  headers.accept?.includes("text/html") === true
    ? Option.some(page(401, placeOf(url)))
    : Option.none()

const Given = Schema.Struct({ token: Schema.String, next: Schema.optional(Schema.String) })
const readGiven = Schema.decodeUnknownOption(Given)

const noToken = new RequestRefused({
  status: 400,
  code: "input_invalid",
  error: "token is missing; expected the text of a token"
})

const cookie = (name: string, value: string, seconds: number) => ({
  "set-cookie": `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict`
})

const isForm = (request: HttpServerRequest.HttpServerRequest): boolean =>
  (request.headers["content-type"] ?? "").toLowerCase().startsWith("application/x-www-form-urlencoded")

const byForm = Effect.gen(function* () {
  const access = yield* Access
  const fields = new URLSearchParams(yield* textBody(MOST_BYTES))
  const next = placeOf(fields.get("next") ?? undefined)
  const token = (fields.get("token") ?? "").trim()
  return yield* access.tokenOf(token).pipe(
    Effect.flatMap(access.sessionOf),
    Effect.map(({ name, value }) =>
      HttpServerResponse.empty({
        status: 303,
        headers: { location: next, ...cookie(name, value, SESSION_SECONDS) }
      })
    ),
    Effect.catchTag("RequestRefused", ({ error, headers = {}, status }) =>
      Effect.succeed(HttpServerResponse.setHeaders(page(status, next, wrongWords(status, error)), headers))
    )
  )
})

const byJson = Effect.gen(function* () {
  const access = yield* Access
  const given = readGiven(yield* jsonBody(MOST_BYTES))
  if (Option.isNone(given)) return yield* noToken
  const token = yield* access.tokenOf(given.value.token.trim())
  const { name, value } = yield* access.sessionOf(token)
  return json({ ok: true, name: token.name, role: token.role }, 200, cookie(name, value, SESSION_SECONDS))
})

/** The routes of `SIGN_IN_ROUTES`. */
export const signIn = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function* () {
    const access = yield* Access
    const context = yield* Effect.context<Access | KnownSecrets | Streams>()
    yield* router.get("/login", Effect.succeed(page(200, "/")))
    yield* router.post(
      "/login",
      Effect.provide(
        responding(
          Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
            isForm(request) ? byForm : byJson
          )
        ),
        context
      )
    )
    yield* router.post(
      "/logout",
      Effect.map(access.cookieName, (name) => json({ ok: true }, 200, cookie(name, "", 0)))
    )
    yield* router.get(
      STYLE_PATH,
      Effect.succeed(
        HttpServerResponse.text(STYLE, {
          contentType: "text/css; charset=utf-8",
          headers: { "cache-control": "max-age=3600" }
        })
      )
    )
  })
)
