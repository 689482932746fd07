import { Effect, Layer, Option, Ref } from "effect"
import { type Holder, Lock, LockHeld } from "../../src/dispatch/Lock.ts"
import { now } from "../../src/domain/Time.ts"

/** A lock within one process: each build of the layer is a host of its own. */
export const layer: Layer.Layer<Lock> = Layer.effect(
  Lock,
  Effect.gen(function* () {
    const held = yield* Ref.make<ReadonlyMap<string, Holder>>(new Map())
    const holder = (path: string) => Effect.map(Ref.get(held), (all) => Option.fromNullable(all.get(path)))
    return Lock.of({
      hold: (path, runnerId) => (program) =>
        Effect.acquireUseRelease(
          Effect.gen(function* () {
            const since = yield* now
            const other = yield* Ref.modify(held, (all) => {
              const present = all.get(path)
              if (present !== undefined) return [Option.some(present), all] as const
              const mine: Holder = { runnerId: Option.some(runnerId), since: Option.some(since) }
              return [Option.none<Holder>(), new Map(all).set(path, mine)] as const
            })
            if (Option.isSome(other)) return yield* new LockHeld({ path, runnerId: other.value.runnerId })
          }),
          () => program,
          () => Ref.update(held, (all) => new Map([...all].filter(([name]) => name !== path)))
        ),
      holder
    })
  })
)
