import { expect } from "bun:test"
import { Effect } from "effect"
import { listener } from "../../../layers/http/BunListener.ts"
import { it } from "../../support/effect.ts"

const WORK_MS = 5
const COUNT = 60

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
        [
          Effect.replicateEffect(ask("/work"), COUNT, { concurrency: "unbounded" }),
          Effect.delay(ask("/pulse"), "20 millis")
        ],
        { concurrency: "unbounded" }
      )
      expect(begun.length).toBe(COUNT + 1)
      expect(begun.indexOf("/pulse")).toBeLessThan(COUNT / 2)
      expect(yield* waiting).toBe(0)
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
