import { dlopen, ptr } from "bun:ffi"
import { Duration, Effect, Layer, Option, Schedule } from "effect"
import { Notify } from "../../src/dispatch/Notify.ts"

// sd_notify(3) without its library: a datagram to the socket that NOTIFY_SOCKET names. Bun has no client for such
// sockets, libc does.
const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000
const MSG_NOSIGNAL = 0x4000
const MSG_DONTWAIT = 0x40

/** struct sockaddr_un: the family in 16 bits, then a path of at most 108 bytes. */
const MOST_PATH = 108

interface Sender {
  /** Whether the service manager took it; it does not while its queue is full. Never waits. */
  readonly send: (message: string) => boolean
  readonly close: () => void
}

/** What must arrive is sent again so often while it is not taken, and for so long: systemd's queue is soon read. */
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

/** Sends messages to the service manager's socket; undefined where there is none that can be used. */
const sender = (socket: string | undefined): Sender | undefined => {
  const address = socket === undefined ? undefined : addressOf(socket)
  if (address === undefined) return undefined
  const libc = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" }
  })
  const fd = libc.symbols.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0)
  if (fd < 0) return undefined
  return {
    send: (message) => {
      const bytes = Buffer.from(message, "utf8")
      const flags = MSG_NOSIGNAL | MSG_DONTWAIT
      return libc.symbols.sendto(fd, ptr(bytes), bytes.length, flags, ptr(address), address.length) >= 0
    },
    close: () => libc.symbols.close(fd)
  }
}

/** Signs of life are asked for by WATCHDOG_USEC, of the process that WATCHDOG_PID names (sd_watchdog_enabled(3)). */
const watchdogOf = (env: NodeJS.ProcessEnv): Option.Option<Duration.Duration> => {
  const micros = Number(env.WATCHDOG_USEC)
  const isOurs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(process.pid)
  return isOurs && Number.isFinite(micros) && micros > 0
    ? Option.some(Duration.micros(BigInt(micros)))
    : Option.none()
}

/** Tells systemd, where it asked to be told (`Type=notify`, `NotifyAccess=main`); nobody otherwise. */
export const layer: Layer.Layer<Notify> = Layer.scoped(
  Notify,
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => sender(process.env.NOTIFY_SOCKET)),
      (open) => Effect.sync(() => open?.close())
    )
    const scope = yield* Effect.scope
    const send = (message: string) => Effect.sync(() => socket === undefined || socket.send(message))
    // Nobody waits for it: a service manager that does not listen holds up neither a start nor a drain.
    const assure = (message: string) => {
      const later = Effect.repeat(send(message), { until: (taken) => taken, schedule: AGAIN })
      return Effect.flatMap(send(message), (taken) => (taken ? Effect.void : Effect.forkIn(later, scope)))
    }
    return Notify.of({
      ready: Effect.asVoid(assure("READY=1")),
      status: (line) => Effect.asVoid(send(`STATUS=${line.replace(/\n/g, " ")}`)),
      alive: Effect.asVoid(send("WATCHDOG=1")),
      stopping: Effect.asVoid(assure("STOPPING=1")),
      watchdog: socket === undefined ? Option.none() : watchdogOf(process.env)
    })
  })
)
