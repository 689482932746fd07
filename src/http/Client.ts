import { FetchHttpClient, HttpApiClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { Effect } from "effect"
import { Api } from "./Api.ts"

export interface ClientOptions {
  /** Where the server listens: `http://127.0.0.1:4314`. */
  readonly baseUrl: string | URL
  /** A token of the server's `http.tokens`; a server on this host may need none. */
  readonly token?: string
}

/**
 * The LAN API as functions, by group and name: `client.tasks.list({ urlParams: { limit: 5 } })`. Answers are decoded,
 * failures are a `Problem` with the server's sentence and code, or what kept the request from being answered.
 */
export const makeClient = ({ baseUrl, token }: ClientOptions) =>
  HttpApiClient.make(Api, {
    baseUrl,
    ...(token === undefined
      ? {}
      : { transformClient: HttpClient.mapRequest(HttpClientRequest.bearerToken(token)) })
  }).pipe(Effect.provide(FetchHttpClient.layer))

export type Client = Effect.Effect.Success<ReturnType<typeof makeClient>>
