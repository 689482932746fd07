import { Context, Effect, Option, type Scope } from "effect"

/** The connection that a request came by. */
export interface Peer {
  /** The address of its other end; empty when it is not known. */
  readonly address: string
  /** Lets the connection be silent for as long as it takes: for answers that wait for what is yet to come. */
  readonly patient: () => void
  /** Ends that: from now on a silent connection is closed, as usual. */
  readonly impatient: () => void
}

/** The peer of the request that is being answered. */
export class PeerOf extends Context.Tag("agent-runtime/http/PeerOf")<PeerOf, Peer>() {}

/** The connection that the request which is being answered came by. */
export const peer: Effect.Effect<Peer> = Effect.flatMap(
  Effect.serviceOption(PeerOf),
  Option.match({
    onNone: () => Effect.dieMessage("a request came by no connection"),
    onSome: Effect.succeed
  })
)

export interface Listening {
  readonly host: string
  readonly port: number
  /** Takes no more connections; those that are open go on. */
  readonly close: Effect.Effect<void>
  /** Requests that have come and are not begun with. */
  readonly waiting: Effect.Effect<number>
}

export interface Where {
  readonly host: string
  readonly port: number
  /** A body beyond is refused before it is read, in bytes. */
  readonly mostBody: number
  /** A connection that is silent for so long is closed, in seconds. */
  readonly idleSeconds: number
  /** The path whose requests are begun with before all others, which wait for their turn. */
  readonly first: string
}

/** The network of this host. */
export class Listener extends Context.Tag("agent-runtime/http/Listener")<
  Listener,
  {
    /**
     * Takes connections until the scope ends, which cuts those that are left; fails with the system's word
     * (EADDRINUSE, EACCES, ...), or with PORT_HELD where a port is taken at which no program listens. `handle` never
     * rejects.
     */
    readonly listen: (
      where: Where,
      handle: (request: Request, peer: Peer) => Promise<Response>
    ) => Effect.Effect<Listening, string, Scope.Scope>
    /** The addresses of this host, those of all its interfaces. */
    readonly addresses: Effect.Effect<ReadonlyArray<string>>
    /** Raises this process's limit of open files to the most that it may have; answers what it is then. */
    readonly raiseFileLimit: Effect.Effect<number>
  }
>() {}
