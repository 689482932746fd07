import { Effect } from "effect"
import { codeOf } from "../SystemWord.ts"
import { addresses } from "./Addresses.ts"
import { raiseFileLimit } from "./FileLimit.ts"
import { isListenedAt } from "./PortHolders.ts"

interface Peer {
  readonly address: string
  readonly patient: () => void
  readonly impatient: () => void
}

interface Where {
  readonly host: string
  readonly port: number
  readonly mostBody: number
  readonly idleSeconds: number
  readonly first: string
}

const LAST_BYTES_MS = 250

/**
 * Lets requests begin one at each turn of the event loop. Effect's fibers yield to each other, not to the loop: of
 * hundreds that come at once all would be answered before the loop looks at what has come meanwhile.
 */
const makeTurns = () => {
  const waiting: Array<() => void> = []
  let isTaken = false
  const next = (): void => {
    const begin = waiting.shift()
    isTaken = begin !== undefined
    if (begin === undefined) return
    begin()
    setImmediate(next)
  }
  return {
    count: () => waiting.length,
    turn: (): Promise<void> | undefined => {
      if (isTaken) return new Promise((resolve) => waiting.push(resolve))
      isTaken = true
      setImmediate(next)
      return undefined
    }
  }
}

const READS = ["GET", "HEAD"]

const plain = (status: number) => new Response(null, { status })

/** The network by Bun, in the terms of `src/http/Listener`. */
export const listener = {
  addresses,
  raiseFileLimit,
  listen: (where: Where, handle: (request: Request, peer: Peer) => Promise<Response>) =>
    Effect.suspend(() => {
      const { count, turn } = makeTurns()
      return Effect.acquireRelease(
        Effect.try({
          try: () =>
            Bun.serve({
              hostname: where.host,
              port: where.port,
              idleTimeout: where.idleSeconds,
              maxRequestBodySize: where.mostBody,
              // Without it a fault would answer with a page that shows the source.
              development: false,
              // A compiled program shares a port that is taken unless it is told not to.
              reusePort: false,
              error: () => plain(500),
              fetch: async (request, server) => {
                if (!request.url.endsWith(where.first)) await turn()
                // Whoever would read it has gone; what was sent to be changed is changed all the same.
                if (request.signal.aborted && READS.includes(request.method)) return plain(499)
                return handle(request, {
                  address: server.requestIP(request)?.address ?? "",
                  patient: () => server.timeout(request, 0),
                  // What is set for one request holds for its connection, and for those that come by it later.
                  impatient: () => server.timeout(request, where.idleSeconds)
                })
              }
            }),
          catch: (cause) => {
            const code = codeOf(cause)
            return code === "EADDRINUSE" && !isListenedAt(where.port) ? "PORT_HELD" : code
          }
        }),
        // What was answered last is on its way; connections that nothing is asked on would be waited for in vain.
        (server) =>
          Effect.promise(() =>
            Promise.race([server.stop(), Bun.sleep(LAST_BYTES_MS)]).then(() => server.stop(true))
          )
      ).pipe(
        Effect.map((server) => ({
          host: server.hostname ?? where.host,
          port: server.port ?? where.port,
          close: Effect.sync(() => void server.stop()),
          waiting: Effect.sync(count)
        }))
      )
    })
}
