import { createHash } from "node:crypto"
import { Effect, Layer, Schema } from "effect"
import { AccessKeys, type KnownToken } from "../../src/config/AccessKeys.ts"
import type { Settings } from "../../src/config/RuntimeConfig.ts"
import type { Doors } from "../../src/http/Access.ts"
import { Listener } from "../../src/http/Listener.ts"
import { PageBundle } from "../../src/http/Page.ts"
import { answering } from "../../src/http/Server.ts"
import * as Streams from "../../src/http/Streams.ts"
import * as Tail from "../../src/http/Tail.ts"
import { says, world } from "../dispatch/world.ts"

export const READER = "a-token-that-may-read"
export const OPERATOR = "a-token-that-may-operate"

const token = (name: string, role: KnownToken["role"], text: string): KnownToken => ({
  name,
  role,
  sha256: createHash("sha256").update(text).digest("hex")
})

/** Tokens of a server that asks for them. */
export const TOKENS: ReadonlyArray<KnownToken> = [
  token("rita", "read", READER),
  token("olga", "operate", OPERATOR)
]

export interface Given {
  readonly doors?: Partial<Doors>
  readonly tokens?: ReadonlyArray<KnownToken>
  readonly http?: Partial<Settings["http"]>
  readonly secrets?: ReadonlyArray<string>
}

const HTTP: Settings["http"] = {
  host: "127.0.0.1",
  port: 4314,
  tokens: [],
  allowedHosts: [],
  allowedOrigins: [],
  loopbackRole: "operate"
}

const surroundings = ({ tokens = [] }: Given) =>
  Layer.mergeAll(
    Layer.succeed(AccessKeys, { tokens, remarks: [], sessionKey: new Uint8Array(32).fill(7) }),
    Layer.succeed(Listener, {
      listen: () => Effect.dieMessage("nothing listens in this test"),
      addresses: Effect.succeed(["127.0.0.1", "192.168.7.9", "fe80::7%eth0"]),
      raiseFileLimit: Effect.succeed(0)
    }),
    Layer.succeed(PageBundle, { load: Effect.succeed({ script: "run()", style: "body{}" }) }),
    Streams.layer
  )

/** A whole runtime in memory with its API before it. */
export const apiWorld = (given: Given = {}) =>
  Tail.layer.pipe(
    Layer.provideMerge(
      Layer.merge(
        world({
          adapters: { local: says("hello") },
          settings: { http: { ...HTTP, ...given.http } },
          ...(given.secrets === undefined ? {} : { secrets: given.secrets })
        }),
        surroundings(given)
      )
    )
  )

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown
  readonly from?: string
}

export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined where it is none. */
  readonly json: unknown
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const requestOf = (path: string, { body, headers = {}, method }: Asked): Request =>
  new Request(`http://127.0.0.1:4314${path}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      host: "127.0.0.1:4314",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(body === undefined
        ? {}
        : {
            "content-length": String(
              Buffer.byteLength(typeof body === "string" ? body : JSON.stringify(body))
            )
          }),
      ...headers
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
  })

/** The API of this world as a function from a request to its response. */
export const api = (given: Given = {}) =>
  Effect.map(
    answering({ host: "127.0.0.1", isOpen: false, ...given.doors }, Effect.succeed(4314)),
    ({ handle }) => {
      const raw = (path: string, asked: Asked = {}) =>
        Effect.promise(() =>
          handle(requestOf(path, asked), {
            address: asked.from ?? "127.0.0.1",
            patient: () => {},
            impatient: () => {}
          })
        )
      const ask = (path: string, asked: Asked = {}): Effect.Effect<Told> =>
        Effect.flatMap(raw(path, asked), (response) =>
          Effect.map(
            Effect.promise(() => response.text()),
            (text) => ({ status: response.status, headers: response.headers, text, json: parsed(text) })
          )
        )
      return { raw, ask }
    }
  )

/** The body of a failure. */
export const problemIn = Schema.decodeUnknownSync(
  Schema.Struct({ error: Schema.String, code: Schema.String }),
  { onExcessProperty: "error" }
)
