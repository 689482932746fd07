import { ptr } from "bun:ffi"
import { Context, Effect, Layer, Option } from "effect"
import { cLibrary } from "../CLibrary.ts"

const PR_SET_CHILD_SUBREAPER = 36
const PR_GET_CHILD_SUBREAPER = 37
const RLIMIT_LOCKS = 10
const WNOHANG = 1

/**
 * What only the C library can do: adopting orphans, collecting them, branding new children. Where it
 * cannot be loaded the methods do nothing and `missing` says why: attempts then run all the same, and a
 * daemon that clears its environment and outruns the scans is left to systemd.
 */
export class Subreaper extends Context.Tag("agent-runtime/Subreaper")<
  Subreaper,
  {
    /** Why orphans of children are not adopted by this process; none when they are. */
    readonly missing: Option.Option<string>
    /**
     * Collects the exit of an adopted child that has ended; nothing when it runs or is no child. Never to be
     * called with a child that `Bun.spawn` started: Bun waits for those itself.
     */
    readonly reap: (pid: number) => void
    /** Runs `start` so that the children which it starts synchronously bear the brand (see `Brand.ts`). */
    readonly branding: <A>(brand: bigint, start: () => A) => A
  }
>() {}

const openLibc = () =>
  cLibrary({
    prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
    waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
    prlimit: { args: ["i32", "i32", "ptr", "ptr"], returns: "i32" }
  })
type Libc = ReturnType<typeof openLibc>

const branding =
  ({ symbols: { prlimit } }: Libc) =>
  <A>(brand: bigint, start: () => A): A => {
    const before = new BigUint64Array(2)
    if (prlimit(0, RLIMIT_LOCKS, null, ptr(before)) !== 0) return start()
    // The soft limit alone: it can always be put back. The children inherit what holds while they are made.
    const during = new BigUint64Array([brand, before[1] ?? 0n])
    prlimit(0, RLIMIT_LOCKS, ptr(during), null)
    try {
      return start()
    } finally {
      prlimit(0, RLIMIT_LOCKS, ptr(before), null)
    }
  }

const adopting = ({ symbols: { prctl } }: Libc) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = new Int32Array(1)
      prctl(PR_GET_CHILD_SUBREAPER, BigInt(ptr(before)), 0n, 0n, 0n)
      const done = prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) === 0
      return { before: before[0] ?? 0, done }
    }),
    ({ before }) => Effect.sync(() => prctl(PR_SET_CHILD_SUBREAPER, BigInt(before), 0n, 0n, 0n))
  )

const nothing = (why: string): typeof Subreaper.Service => ({
  missing: Option.some(why),
  reap: () => undefined,
  branding: (_, start) => start()
})

/** Makes this process adopt the orphans of its children for as long as the layer lives. */
export const layer: Layer.Layer<Subreaper> = Layer.scoped(
  Subreaper,
  Effect.gen(function* () {
    const opened = yield* Effect.option(Effect.try(openLibc))
    if (Option.isNone(opened)) return nothing("the C library (libc.so.6) cannot be called")
    const libc = opened.value
    yield* Effect.addFinalizer(() => Effect.sync(() => libc.close()))
    const { done } = yield* adopting(libc)
    const status = new Int32Array(1)
    return {
      missing: done ? Option.none() : Option.some("the kernel refused PR_SET_CHILD_SUBREAPER"),
      reap: (pid) => {
        libc.symbols.waitpid(pid, ptr(status), WNOHANG)
      },
      branding: branding(libc)
    }
  })
)

/** For places without the C library, and for tests of what holds there. */
export const layerMissing: Layer.Layer<Subreaper> = Layer.succeed(Subreaper, nothing("it was switched off"))
