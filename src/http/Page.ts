import type { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Option } from "effect"
import type { RequestRefused } from "./Failure.ts"

/** The routes of the page, beside those of the API. */
export const PAGE_ROUTES = [{ path: "/", methods: ["GET"] }] as const

/** What a browser that has no token gets instead of the page. */
export const locked = (_: HttpServerRequest.HttpServerRequest, __: RequestRefused) =>
  Effect.succeed(Option.none<HttpServerResponse.HttpServerResponse>())
