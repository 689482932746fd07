import { expect } from "bun:test"
import { Effect } from "effect"
import { listener } from "../../../layers/http/BunListener.ts"
import { it } from "../../support/effect.ts"

const WORK_MS = 5
const COUNT = 60
const ALL = { concurrency: "unbounded" } as const

it.live(
  "of many requests that come at once each begins at a turn of its own, the first path before them",
  () =>
    Effect.gen(function* () {
      const begun: Array<string> = []
      const { port, waiting } = yield* listener.listen(
        { host: "127.0.0.1", port: 0, mostBody: 1_000, idleSeconds: 30, first: "/pulse" },
        (request) => {
          begun.push(new URL(request.url).pathname)
          for (const end = performance.now() + WORK_MS; performance.now() < end; );
          return Promise.resolve(new Response("ok"))
        }
      )
      const ask = (path: string) =>
        Effect.promise(() => fetch(`http://127.0.0.1:${port}${path}`).then((response) => response.text()))
      yield* Effect.all(
        [Effect.replicateEffect(ask("/work"), COUNT, ALL), Effect.delay(ask("/pulse"), "20 millis")],
        { concurrency: "unbounded" }
      )
      expect(begun.length).toBe(COUNT + 1)
      expect(begun.indexOf("/pulse")).toBeLessThan(COUNT / 2)
      expect(yield* waiting).toBe(0)
    })
)

it.live(
  "what is only read is not answered when its client has gone before its turn; what is changed is",
  () =>
    Effect.gen(function* () {
      const begun: Array<string> = []
      const { port, waiting } = yield* listener.listen({ ...WHERE, port: 0, first: "/pulse" }, (request) => {
        begun.push(request.method)
        for (const end = performance.now() + WORK_MS; performance.now() < end; );
        return Promise.resolve(new Response("ok"))
      })
      const gone = new AbortController()
      const ask = (method: string) =>
        Effect.promise(() =>
          fetch(`http://127.0.0.1:${port}/work`, {
            method,
            signal: gone.signal,
            ...(method === "POST" ? { body: "{}" } : {})
          }).then(
            (response) => response.text(),
            () => ""
          )
        )
      const each = ["GET", "POST", "HEAD"].map((method) => Effect.replicateEffect(ask(method), COUNT, ALL))
      const came = Effect.map(waiting, (count) => count + begun.length)
      const allCame = Effect.repeat(Effect.delay(came, "5 millis"), { until: (count) => count === 3 * COUNT })
      const leave = Effect.sync(() => gone.abort())
      yield* Effect.all([...each, Effect.zipRight(allCame, leave)], ALL)
      yield* Effect.repeat(Effect.delay(waiting, "10 millis"), { until: (left) => left === 0 })
      const changes = begun.filter((method) => method === "POST")
      expect(changes.length).toBe(COUNT)
      expect(begun.length - changes.length).toBeLessThan(2 * COUNT)
    })
)

const WHERE = { host: "127.0.0.1", mostBody: 1_000, idleSeconds: 30, first: "/" }

it.live("a port that a program listens at is told from one that only a connection holds", () =>
  Effect.gen(function* () {
    const listen = (port: number) =>
      listener.listen({ ...WHERE, port }, () => Promise.resolve(new Response("ok")))
    const refused = (port: number) => Effect.flip(Effect.scoped(listen(port)))
    const { port } = yield* listen(0)
    expect(yield* refused(port)).toBe("EADDRINUSE")
    const connection = yield* Effect.acquireRelease(
      Effect.promise(() => Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } })),
      (socket) => Effect.sync(() => socket.end())
    )
    expect(yield* refused(connection.localPort)).toBe("PORT_HELD")
  })
)
