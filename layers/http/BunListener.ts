import { Effect } from "effect"
import { codeOf } from "../adapter/Command.ts"
import { addresses } from "./Addresses.ts"
import { raiseFileLimit } from "./FileLimit.ts"

interface Peer {
  readonly address: string
  readonly patient: () => void
}

interface Where {
  readonly host: string
  readonly port: number
  readonly mostBody: number
  readonly idleSeconds: number
}

const LAST_BYTES_MS = 250

const plain = (status: number) => new Response(null, { status })

/** The network by Bun, in the terms of `src/http/Listener`. */
export const listener = {
  addresses,
  raiseFileLimit,
  listen: (where: Where, handle: (request: Request, peer: Peer) => Promise<Response>) =>
    Effect.acquireRelease(
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
            fetch: (request, server) =>
              handle(request, {
                address: server.requestIP(request)?.address ?? "",
                patient: () => server.timeout(request, 0)
              })
          }),
        catch: codeOf
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
        close: Effect.sync(() => void server.stop())
      }))
    )
}
