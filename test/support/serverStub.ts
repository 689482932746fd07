import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Option, Schema } from "effect"
import type { Account } from "../../layers/adapter/ModelServer.ts"
import type { HostEnvironment } from "../../layers/adapter/Secrets.ts"
import * as DiskAudit from "../../layers/artifact/DiskAudit.ts"
import type { Adapter, Job, StopReason } from "../../src/adapter/AdapterRegistry.ts"
import { Audit, type AuditFolder } from "../../src/artifact/AuditFolder.ts"
import type { OllamaSettings, OpenAiChatSettings } from "../../src/config/AdapterSettings.ts"
import { TaskId } from "../../src/domain/Ids.ts"
import { JsonObject } from "../../src/domain/Json.ts"
import { newAttempt, temporaryFolder } from "./children/support.ts"

const decodeBody = Schema.decodeUnknownSync(Schema.parseJson(JsonObject))

/** What a stub got, with its body read. */
export interface Got {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: JsonObject
  /** Resolves when the client's side of the connection is gone. */
  readonly gone: Promise<void>
}

/** A server on loopback that answers as it is told; closed with the scope. */
export const stub = (answer: (got: Got) => Response | Promise<Response>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const got: Array<Got> = []
        const server = Bun.serve({
          hostname: "127.0.0.1",
          port: 0,
          idleTimeout: 0,
          development: false,
          fetch: async (request) => {
            const text = await request.text()
            const gone = new Promise<void>((resolve) =>
              request.signal.addEventListener("abort", () => resolve(), { once: true })
            )
            const one = {
              method: request.method,
              path: new URL(request.url).pathname,
              headers: request.headers,
              body: text === "" ? {} : decodeBody(text),
              gone
            }
            got.push(one)
            return answer(one)
          }
        })
        return { server, got }
      }),
      ({ server }) => Effect.promise(() => server.stop(true))
    ),
    ({ got, server }) => ({ got, url: `http://127.0.0.1:${server.port}`, host: `127.0.0.1:${server.port}` })
  )

/**
 * A server that writes these bytes to whoever asks for an answer; `cut` breaks all connections off. With `atOnce` each is
 * broken off right behind the bytes.
 */
export const breaking = (bytes: string, atOnce = false) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        Bun.listen({
          hostname: "127.0.0.1",
          port: 0,
          socket: {
            data: (socket, request) => {
              const nothing = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
              socket.write(request.toString().startsWith("POST /api/show") ? nothing : bytes)
              socket.flush()
              if (atOnce) socket.end()
            }
          }
        })
      ),
      (server) => Effect.sync(() => server.stop(true))
    ),
    (server) => ({ url: `http://127.0.0.1:${server.port}`, cut: () => server.stop(true) })
  )

/** An address on loopback that nothing listens at. */
export const nowhere = Effect.sync(() => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } })
  server.stop(true)
  return `http://127.0.0.1:${server.port}`
})

/** An account that keeps nothing. */
export const account: Account = {
  heard: () => undefined,
  say: () => Option.none(),
  finished: () => undefined,
  said: () => 0,
  note: () => undefined,
  remark: () => undefined,
  spent: () => undefined,
  asksToWait: () => undefined,
  fact: () => undefined,
  sending: () => Effect.void
}

/** The pieces of a body, one after the other; `hang` keeps the connection open behind them. */
export const streamed = (
  pieces: ReadonlyArray<string | Uint8Array>,
  { hang = false, type = "text/event-stream" }: { readonly hang?: boolean; readonly type?: string } = {}
): Response => {
  const left = pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece))
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const next = left.shift()
      if (next !== undefined) controller.enqueue(next)
      else if (hang) await new Promise(() => undefined)
      else controller.close()
      // A turn of the loop, so that the pieces leave one by one.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  return new Response(body, { headers: { "content-type": type } })
}

/** The pieces of a body, so many milliseconds after one another. */
export const paced = (pieces: ReadonlyArray<string>, everyMs: number): Response => {
  const left = [...pieces]
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, everyMs))
      const next = left.shift()
      if (next === undefined) controller.close()
      else controller.enqueue(Buffer.from(next))
    }
  })
  return new Response(body, { headers: { "content-type": "text/event-stream" } })
}

/** A body of the same piece for ever. */
export const endless = (piece: Uint8Array, type = "text/event-stream"): Response =>
  new Response(new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(piece.slice()) }), {
    headers: { "content-type": type }
  })

const common = (id: string) => ({
  id,
  timeoutMs: 20_000,
  noOutputTimeoutMs: Option.none(),
  workspace: "shared" as const,
  fallbackAdapter: Option.none(),
  retryHintService: Option.none(),
  retry: { maxAttempts: Option.none(), backoffSeconds: Option.none(), maxBackoffSeconds: Option.none() }
})

export const ollamaSettings = (endpoint: string, changes: Partial<OllamaSettings> = {}): OllamaSettings => ({
  ...common("ollama"),
  mode: "ollama-generate",
  endpoint,
  model: "stub",
  options: {},
  keepAlive: Option.none(),
  ...changes
})

export const openAiSettings = (
  endpoint: string,
  changes: Partial<OpenAiChatSettings> = {}
): OpenAiChatSettings => ({
  ...common("chat"),
  mode: "openai-chat",
  endpoint: `${endpoint}/v1`,
  model: "stub",
  apiKey: Option.none(),
  ...changes
})

export const KEY = "sk-secret-0123456789"
export const environment: HostEnvironment = { API_KEY: KEY }
export const withKey = { apiKey: Option.some({ secretEnv: "API_KEY" }) }

/** An audit folder that tells of what is written into its stdout.log. */
const telling = (audit: AuditFolder, wrote: () => void): AuditFolder => ({
  ...audit,
  log: (name) =>
    Effect.map(audit.log(name), (log) => ({
      ...log,
      write: (chunk) => {
        log.write(chunk)
        if (name === "stdout.log") wrote()
      }
    }))
})

/**
 * Executes an attempt of an adapter with its audit folder on disk; answers the execution and its files. `wrote`
 * is run with every piece of the answer that is in the log.
 */
export const execute = (
  { execute }: Pick<Adapter, "execute">,
  job: Partial<Job> = {},
  wrote: () => void = () => undefined
) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const attemptId = newAttempt()
    const taskId = TaskId.make("task")
    const audit = yield* Effect.flatMap(Audit, ({ open }) => open(taskId, attemptId)).pipe(
      Effect.provide(DiskAudit.layer(join(folder, "artifacts")))
    )
    const stop = yield* Deferred.make<StopReason>()
    const execution = yield* execute({
      taskId,
      attemptId,
      prompt: "the prompt, in JSON please",
      payload: { n: 1 },
      args: [],
      model: Option.none(),
      untrusted: false,
      withheld: [],
      bundlePath: "/bundles/b.json",
      promptPath: "/bundles/b.prompt.txt",
      audit: telling(audit, wrote),
      traceParent: Option.none(),
      stop,
      started: () => Effect.void,
      ...job
    })
    return {
      execution,
      reason: Option.getOrElse(execution.reason, () => ""),
      file: (name: string) => readFileSync(join(audit.path, name), "utf8")
    }
  })

export const OUTCOME = JSON.stringify({
  status: "completed",
  operator_summary: "Grüße, 世界 🌍 done",
  machine_status: "ok"
})
