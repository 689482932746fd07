import { describe } from "bun:test"
import { Effect, type Layer, type Scope } from "effect"
import type { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import type { Raw } from "../support/store.ts"
import { addAndFind } from "./store/addAndFind.ts"
import { attempts } from "./store/attempts.ts"
import { backlog } from "./store/backlog.ts"
import { budgets } from "./store/budgets.ts"
import { claims } from "./store/claims.ts"
import { damage } from "./store/damage.ts"
import { damagedSchedules } from "./store/damagedSchedules.ts"
import { gates } from "./store/gates.ts"
import { grounds } from "./store/grounds.ts"
import { history } from "./store/history.ts"
import { idleWorkflows } from "./store/idleWorkflows.ts"
import { invariants } from "./store/invariants.ts"
import { lists } from "./store/lists.ts"
import { moves } from "./store/moves.ts"
import { outbox } from "./store/outbox.ts"
import { questions } from "./store/questions.ts"
import { replays } from "./store/replays.ts"
import { schedules } from "./store/schedules.ts"
import { search } from "./store/search.ts"
import { sensors } from "./store/sensors.ts"
import { settlements } from "./store/settlements.ts"
import { transactions } from "./store/transactions.ts"
import { workflows } from "./store/workflows.ts"

/** A sentence of behaviour and the program that shows it, on a store of its own. */
export type Sentence = (
  title: string,
  body: Effect.Effect<unknown, unknown, Store | Raw | Scope.Scope>,
  timeoutMs?: number
) => void

/** What every Store does, whatever it lies on. `layer` makes a new one each time. */
export const storeSuite = (name: string, layer: () => Layer.Layer<Store | Raw, unknown>) => {
  const check: Sentence = (title, body, timeoutMs) =>
    it.live(title, () => Effect.provide(body, layer()), timeoutMs)
  for (const [part, sentences] of Object.entries({
    addAndFind,
    claims,
    settlements,
    moves,
    replays,
    attempts,
    lists,
    search,
    history,
    gates,
    budgets,
    grounds,
    schedules,
    sensors,
    outbox,
    questions,
    backlog,
    damagedSchedules,
    workflows,
    idleWorkflows,
    transactions,
    damage,
    invariants
  }))
    describe(`a store ${name}: ${part}`, () => sentences(check))
}
