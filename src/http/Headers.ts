import { type Headers, HttpServerResponse } from "@effect/platform"
import { isLoopback } from "../config/Addresses.ts"
import { hostName } from "./Hosts.ts"

/** What the operator page may load: its own files, and nothing that stands in the page itself. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'"
].join("; ")

/** What anything else may load when a browser opens it: nothing. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"

const ALWAYS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
} as const

// What a browser is told with "not modified" replaces what it was told with the page that it kept.
const isPage = (response: HttpServerResponse.HttpServerResponse): boolean =>
  response.status === 304 ||
  (response.headers["content-type"] ?? response.body.contentType ?? "").startsWith("text/html")

/**
 * Whether a browser heeds what isolates a page: on loopback, and over https, of which a proxy's server knows by what
 * browsers send to such addresses alone. Elsewhere each page would be an error in their console.
 */
const isTrustworthy = (headers: Headers.Headers): boolean =>
  headers["sec-fetch-site"] !== undefined || isLoopback(hostName(headers.host) ?? "")

/** A response with the headers that every response has; `origin` is one that may read it. */
export const secured = (
  response: HttpServerResponse.HttpServerResponse,
  origin: string | undefined,
  asked: Headers.Headers
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, {
    ...ALWAYS,
    ...(isTrustworthy(asked) ? { "cross-origin-opener-policy": "same-origin" } : {}),
    // Without any referrer a browser sends the sign-in form with `Origin: null`, which is nobody's.
    ...(isPage(response) ? { "referrer-policy": "same-origin" } : {}),
    "content-security-policy": isPage(response) ? PAGE_POLICY : DATA_POLICY,
    "cache-control": response.headers["cache-control"] ?? "no-store",
    ...(origin === undefined
      ? { "cross-origin-resource-policy": "same-origin" }
      : {
          "access-control-allow-origin": origin,
          "access-control-expose-headers": "content-range, retry-after, location",
          "cross-origin-resource-policy": "cross-origin",
          vary: "origin"
        })
  })

/** The answer to a browser that asks whether another page may send what it wants to send. */
export const preflight: HttpServerResponse.HttpServerResponse = HttpServerResponse.empty({
  status: 204,
  headers: {
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": "authorization, content-type, last-event-id",
    "access-control-max-age": "600"
  }
})
