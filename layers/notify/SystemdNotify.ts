import { ptr, read } from "bun:ffi"
import { constants } from "node:os"
import { Duration, Effect, Layer, Option, Ref, Schedule } from "effect"
import { Notify } from "../../src/dispatch/Notify.ts"
import { cLibrary, NotCallable } from "../CLibrary.ts"

// sd_notify(3) without its library: a datagram to the socket that NOTIFY_SOCKET names. Bun has no client for such
// sockets, libc does.
const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000
const MSG_NOSIGNAL = 0x4000
const MSG_DONTWAIT = 0x40

/** struct sockaddr_un: the family in 16 bits, then a path of at most 108 bytes. */
const MOST_PATH = 108

/** What became of a message: in the socket's queue, no room for it at the moment, or the code of what stands against it. */
type Fate = "taken" | "full" | { readonly code: string }

interface Sender {
  /** Never waits. */
  readonly send: (message: string) => Fate
  readonly close: () => void
}

const { EAGAIN, EINTR, ENOBUFS, ENOMEM } = constants.errno
const PASSES: ReadonlyArray<number> = [EAGAIN, EINTR, ENOBUFS, ENOMEM]

const fateOf = (errno: number): Fate =>
  PASSES.includes(errno)
    ? "full"
    : { code: Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `code ${errno}` }

/** What must arrive is sent again so often while there is no room for it, and for so long: systemd's queue is soon read. */
const AGAIN = Schedule.spaced("50 millis").pipe(Schedule.upTo("1 minute"))

const addressOf = (socket: string): Buffer | undefined => {
  // A leading @ stands for an abstract socket, whose name begins with a NUL.
  const path = Buffer.from(socket.startsWith("@") ? `\0${socket.slice(1)}` : socket, "utf8")
  if ((!socket.startsWith("/") && !socket.startsWith("@")) || path.length >= MOST_PATH) return undefined
  const address = Buffer.alloc(2 + path.length + (socket.startsWith("@") ? 0 : 1))
  address.writeUInt16LE(AF_UNIX, 0)
  path.copy(address, 2)
  return address
}

/** Sends messages to the service manager's socket; where nothing can be sent each fate is why. */
const sender = (socket: string): Sender => {
  try {
    return opened(socket)
  } catch (cause) {
    if (cause instanceof NotCallable) return cannot(cause.message)
    throw cause
  }
}

const opened = (socket: string): Sender => {
  const address = addressOf(socket)
  if (address === undefined) return cannot("it names no socket")
  const libc = cLibrary({
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
    __errno_location: { args: [], returns: "ptr" }
  })
  const errno = () => {
    const at = libc.symbols.__errno_location()
    return typeof at === "number" ? read.i32(at) : 0
  }
  const fd = libc.symbols.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0)
  if (fd < 0) return cannot("there is no room for a socket")
  return {
    send: (message) => {
      const bytes = Buffer.from(message, "utf8")
      const flags = MSG_NOSIGNAL | MSG_DONTWAIT
      const sent = libc.symbols.sendto(fd, ptr(bytes), bytes.length, flags, ptr(address), address.length)
      return sent >= 0 ? "taken" : fateOf(errno())
    },
    close: () => libc.symbols.close(fd)
  }
}

const cannot = (code: string): Sender => ({ send: () => ({ code }), close: () => {} })

/** Signs of life are asked for by WATCHDOG_USEC, of the process that WATCHDOG_PID names (sd_watchdog_enabled(3)). */
const watchdogOf = (env: NodeJS.ProcessEnv): Option.Option<Duration.Duration> => {
  const micros = Number(env.WATCHDOG_USEC)
  const isOurs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(process.pid)
  return isOurs && Number.isFinite(micros) && micros > 0
    ? Option.some(Duration.micros(BigInt(micros)))
    : Option.none()
}

/** Nobody asked to be told where it is not set, or empty (sd_notify(3)). */
const socketOf = (env: NodeJS.ProcessEnv): string | undefined => env.NOTIFY_SOCKET || undefined

/**
 * Tells systemd, where it asked to be told (`Type=notify`, `NotifyAccess=main`); nobody otherwise. A service manager
 * that cannot be told is named in one warning and holds nothing up.
 */
export const layer: Layer.Layer<Notify> = Layer.scoped(
  Notify,
  Effect.gen(function* () {
    const name = socketOf(process.env)
    if (name === undefined) return nobody
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => sender(name)),
      (open) => Effect.sync(() => open.close())
    )
    const scope = yield* Effect.scope
    const isTold = yield* Ref.make(false)
    const warn = (code: string) =>
      Effect.unlessEffect(
        Effect.logWarning(
          `The service manager cannot be told how this process is: NOTIFY_SOCKET is ${JSON.stringify(name)} (${code}); it goes on without`
        ),
        Ref.getAndSet(isTold, true)
      )
    const send = (message: string) =>
      Effect.sync(() => socket.send(message)).pipe(
        Effect.tap((fate) => (typeof fate === "string" ? Effect.void : warn(fate.code)))
      )
    // Nobody waits for it: a service manager that does not listen holds up neither a start nor a drain. It is said where
    // nothing can be interrupted too (a drain); what is sent again can, for it ends with the layer.
    const assure = (message: string) => {
      const later = Effect.repeat(send(message), { while: (fate) => fate === "full", schedule: AGAIN })
      const again = Effect.forkIn(Effect.interruptible(later), scope)
      return Effect.flatMap(send(message), (fate) => (fate === "full" ? Effect.asVoid(again) : Effect.void))
    }
    return Notify.of({
      ready: assure("READY=1"),
      status: (line) => Effect.asVoid(send(`STATUS=${line.replace(/\n/g, " ")}`)),
      alive: Effect.asVoid(send("WATCHDOG=1")),
      stopping: assure("STOPPING=1"),
      watchdog: watchdogOf(process.env)
    })
  })
)

const nobody = Notify.of({
  ready: Effect.void,
  status: () => Effect.void,
  alive: Effect.void,
  stopping: Effect.void,
  watchdog: Option.none()
})
