import { Effect, Option, Ref } from "effect"
import { isNoRoom, NoRoom } from "../domain/HostRoom.ts"
import { type ArtifactFailed, ArtifactStore, type PathRefused } from "./ArtifactStore.ts"

/**
 * Runs what looks at artifacts or writes some. It fails as NoRoom when the host had no room for one of these steps,
 * whatever the program made of that: what was not looked at says nothing against a task.
 */
export const heedingRoom = <A, E, R>(
  program: Effect.Effect<A, E, R>
): Effect.Effect<A, E | NoRoom, R | ArtifactStore> =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    const met = yield* Ref.make(Option.none<NoRoom>())
    const note = (error: ArtifactFailed | PathRefused) =>
      error._tag === "ArtifactFailed" && isNoRoom(error.reason)
        ? Ref.set(met, Option.some(lackAt(error)))
        : Effect.void
    const exit = yield* Effect.exit(Effect.provideService(program, ArtifactStore, heeded(store, note)))
    const lack = yield* Ref.get(met)
    return yield* Option.isSome(lack) ? lack.value : exit
  })

const lackAt = ({ path, reason }: ArtifactFailed): NoRoom =>
  new NoRoom({ what: `${path} below the artifact root cannot be used`, code: reason })

type Contract = ArtifactStore["Type"]

const heeded = (
  store: Contract,
  note: (error: ArtifactFailed | PathRefused) => Effect.Effect<void>
): Contract => {
  const heed = <A>(step: Effect.Effect<A, ArtifactFailed | PathRefused>) => Effect.tapError(step, note)
  return {
    root: store.root,
    writable: store.writable,
    relative: store.relative,
    resolve: (...given) => heed(store.resolve(...given)),
    observe: (...given) => heed(store.observe(...given)),
    survey: () => {
      const { observe, resolve } = store.survey()
      return { resolve: (path) => heed(resolve(path)), observe: (path) => heed(observe(path)) }
    },
    hash: (...given) => heed(store.hash(...given)),
    read: (...given) => heed(store.read(...given)),
    scan: (...given) => heed(store.scan(...given)),
    files: (...given) => heed(store.files(...given)),
    entries: (...given) => heed(store.entries(...given)),
    write: (...given) => heed(store.write(...given)),
    begin: (...given) => Effect.map(heed(store.begin(...given)), heed),
    keepOld: (...given) => heed(store.keepOld(...given))
  }
}
