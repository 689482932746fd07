import { type HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Context, Effect, Option } from "effect"
import { sha256 } from "./Session.ts"

/** The operator page as it was built: one script and one style sheet. */
export class PageBundle extends Context.Tag("agent-runtime/http/PageBundle")<
  PageBundle,
  { readonly load: Effect.Effect<{ readonly script: string; readonly style: string }> }
>() {}

/** The routes of the page, beside those of the API. */
export const PAGE_ROUTES = [
  { path: "/", methods: ["GET"] },
  { path: "/ui", methods: ["GET"] },
  { path: "/ui/*", methods: ["GET"] },
  { path: "/assets/*", methods: ["GET"] }
] as const

/** A view that is no file of its own: the page reads its address. */
const isView = (path: string): boolean => path === "/" || path === "/ui" || path.startsWith("/ui/")

/** Its name holds its content's hash: what is kept under it never changes. */
const FOR_EVER = "private, max-age=31536000, immutable"

interface File {
  readonly type: string
  readonly text: string
  readonly packed: Uint8Array
}

const packed = (text: string) =>
  Effect.promise(() =>
    new Response(
      new Blob([text]).stream().pipeThrough(new CompressionStream("gzip") as ReadableWritablePair)
    ).bytes()
  )

const file = (type: string, text: string) =>
  Effect.map(packed(text), (bytes): File => ({ type, text, packed: bytes }))

// A diamond, the mark of what needs somebody.
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M8 1l7 7-7 7-7-7z" fill="#2454c6"/></svg>'

const html = (script: string, style: string, icon: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>agent-runtime</title>
<link rel="icon" href="${icon}" type="image/svg+xml">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<div id="root"></div>
<noscript>This page needs JavaScript. On the host, agent-runtime status tells the same.</noscript>
</body>
</html>
`

const named = (name: string, text: string, ending: string) =>
  Effect.map(sha256(text), (hash) => `/assets/${name}-${hash.slice(0, 16)}.${ending}`)

const made = Effect.gen(function* () {
  const { script, style } = yield* Effect.flatMap(PageBundle, (bundle) => bundle.load)
  const places = {
    script: yield* named("page", script, "js"),
    style: yield* named("page", style, "css"),
    icon: yield* named("icon", ICON, "svg")
  }
  const page = html(places.script, places.style, places.icon)
  return {
    page: yield* file("text/html; charset=utf-8", page),
    etag: `"${(yield* sha256(page)).slice(0, 32)}"`,
    files: new Map<string, File>([
      [places.script, yield* file("text/javascript; charset=utf-8", script)],
      [places.style, yield* file("text/css; charset=utf-8", style)],
      [places.icon, yield* file("image/svg+xml", ICON)]
    ])
  }
})

/** Whether what a caller has is this: `*`, or a list that has its tag in it; a weak one is as good (RFC 9110, 13.1.2). */
const isKept = (asked: string | undefined, etag: string): boolean =>
  asked !== undefined &&
  (asked.trim() === "*" || [...asked.matchAll(/"[^"]*"/g)].some(([tag]) => tag === etag))

const sent = (
  { packed, text, type }: File,
  accepted: string | undefined,
  headers: Readonly<Record<string, string>>
): HttpServerResponse.HttpServerResponse => {
  const vary = { ...headers, vary: "accept-encoding" }
  return /\bgzip\b/.test(accepted ?? "")
    ? HttpServerResponse.uint8Array(packed, {
        contentType: type,
        headers: { ...vary, "content-encoding": "gzip" }
      })
    : HttpServerResponse.text(text, { contentType: type, headers: vary })
}

/**
 * The page as an answer to a request; none to a request that is not for it. It is read and packed when somebody
 * first asks for it.
 */
export const makePage = Effect.map(Effect.cached(made), (kept) => {
  const answer = (request: HttpServerRequest.HttpServerRequest) =>
    Effect.map(kept, ({ etag, files, page }) => {
      const path = request.url.split("?", 1)[0] ?? ""
      const accepted = request.headers["accept-encoding"]
      if (!isView(path))
        return Option.map(Option.fromNullable(files.get(path)), (found) =>
          sent(found, accepted, { "cache-control": FOR_EVER })
        )
      const headers = { etag, "cache-control": "no-cache" }
      return Option.some(
        isKept(request.headers["if-none-match"], etag)
          ? HttpServerResponse.empty({ status: 304, headers })
          : sent(page, accepted, headers)
      )
    })
  return (request: HttpServerRequest.HttpServerRequest) => {
    const path = request.url.split("?", 1)[0] ?? ""
    const isAsked =
      (request.method === "GET" || request.method === "HEAD") && (isView(path) || path.startsWith("/assets/"))
    return isAsked ? answer(request) : Effect.succeedNone
  }
})
export type Page = Effect.Effect.Success<typeof makePage>
