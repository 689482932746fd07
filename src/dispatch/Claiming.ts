import { DateTime, Effect, Option, Queue, Ref } from "effect"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { now } from "../domain/Time.ts"
import type { Pause } from "../store/Gates.ts"
import { Store } from "../store/Store.ts"
import { nextDay } from "./Charges.ts"
import { goOn } from "./HoldBack.ts"
import { Notify } from "./Notify.ts"
import { stampNow } from "./Runner.ts"
import type { Slots } from "./Slots.ts"
import { next } from "./Steps.ts"
import { inRounds } from "./Wakes.ts"

/** Why nothing more is claimed just now. */
type Rest =
  /** Nothing is there to claim, and nothing runs. */
  | { readonly _tag: "Idle" }
  /** Nothing is there to claim, something runs. */
  | { readonly _tag: "Busy" }
  /** As many run as may. */
  | { readonly _tag: "Full" }
  | { readonly _tag: "Paused"; readonly pause: Pause }

/** What was told last, to the history and to the service manager; it outlives a fault of the loop. */
interface Told {
  readonly rest: Rest["_tag"] | "Begun"
  readonly line: string
}

export const nothingTold = Ref.make<Told>({ rest: "Begun", line: "" })

interface Given {
  readonly slots: Slots
  readonly wake: Queue.Queue<void>
  readonly told: Ref.Ref<Told>
  /** Run in every round as a sign of life. */
  readonly beat: Effect.Effect<void>
}

/** Claims and starts what is due, whenever there is room, and sleeps until something may have changed. */
export const claiming = ({ beat, slots, told, wake }: Given) =>
  inRounds(
    wake,
    Effect.gen(function* () {
      yield* beat
      const rest = yield* fill(slots)
      yield* tell(rest, told)
      yield* sayStatus(slots, rest, told)
      if (rest._tag === "Idle" || rest._tag === "Busy") return yield* nextMoment
      if (rest._tag === "Paused") return yield* goOn(rest.pause)
      // Its own claims have woken it, and nothing is to be done before an attempt ends, which wakes it again.
      yield* Queue.takeAll(wake)
      return slots.isFull() ? Option.none() : Option.some(yield* now)
    })
  )

/** Claims until there is nothing to claim, no slot is free, or dispatch is paused; answers which of these. */
const fill = (slots: Slots) =>
  Effect.gen(function* () {
    while ((yield* slots.free) > 0) {
      // Between the claim and the attempt's own fiber nothing may come: the task would be left running.
      const found = yield* Effect.uninterruptible(
        Effect.tap(next(), (one) => (one._tag === "Claimed" ? slots.run(one.claimed) : Effect.void))
      )
      if (found._tag === "Paused") return found satisfies Rest
      if (found._tag === "Idle") return { _tag: (yield* slots.running) > 0 ? "Busy" : "Idle" } satisfies Rest
    }
    return { _tag: "Full" } satisfies Rest
  })

/** When a waiting task may start without a commit: the earliest due time, the end of a cool-down, a new day. */
const nextMoment = Effect.gen(function* () {
  const store = yield* Store
  const due = yield* store.tasks.nextDue
  const { budgets } = yield* RuntimeConfig
  const at = yield* now
  const [cooldown] = yield* store.gates.cooldowns(at)
  const ends = Option.map(Option.fromNullable(cooldown), ({ until }) => until)
  const day = budgets.some(({ window }) => window === "day") ? Option.some(nextDay(at)) : Option.none()
  return Option.reduceCompact([due, ends, day], Option.none<DateTime.Utc>(), (earliest, moment) =>
    Option.some(Option.match(earliest, { onNone: () => moment, onSome: DateTime.min(moment) }))
  )
})

/** What becomes idle or paused is told once, not again and again. */
const tell = (rest: Rest, told: Ref.Ref<Told>) =>
  Effect.gen(function* () {
    const store = yield* Store
    if ((yield* Ref.get(told)).rest === rest._tag) return
    const none = { taskId: Option.none(), attemptId: Option.none() }
    if (rest._tag === "Idle")
      yield* store.events.append({ type: "dispatch_idle", ...none, detail: {} }, yield* stampNow)
    if (rest._tag === "Paused") {
      const detail = { reason: Option.getOrNull(rest.pause.reason) }
      yield* store.events.append({ type: "dispatch_paused", ...none, detail }, yield* stampNow)
    }
    yield* Ref.update(told, ({ line }) => ({ line, rest: rest._tag }))
  })

const sayStatus = (slots: Slots, rest: Rest, told: Ref.Ref<Told>) =>
  Effect.gen(function* () {
    const notify = yield* Notify
    const running = yield* slots.running
    const runs = running === 0 ? [] : [`${running} running`]
    const line = [...(rest._tag === "Paused" ? ["paused"] : []), ...runs].join(", ") || "idle"
    if ((yield* Ref.get(told)).line === line) return
    yield* notify.status(line)
    yield* Ref.update(told, (last) => ({ ...last, line }))
  })
