import { Context, type Effect, type Scope, type Stream } from "effect"
import type { Adoption } from "./Adoption.ts"
import type { Attempts } from "./Attempts.ts"
import type { Backlog } from "./Backlog.ts"
import type { Budgets } from "./Budgets.ts"
import type { Events } from "./Events.ts"
import type { Gates } from "./Gates.ts"
import type { Maintenance } from "./Maintenance.ts"
import type { Outbox } from "./Outbox.ts"
import type { Questions } from "./Questions.ts"
import type { Runners } from "./Runners.ts"
import type { Schedules } from "./Schedules.ts"
import type { Sensors } from "./Sensors.ts"
import type { StoreUnavailable } from "./StoreError.ts"
import type { Tasks } from "./Tasks.ts"
import type { UsageSums } from "./Usage.ts"
import type { Workflows } from "./Workflows.ts"

/** The record of everything: one service made of small contracts, because transactions span them. */
export class Store extends Context.Tag("agent-runtime/Store")<
  Store,
  {
    readonly tasks: Tasks
    readonly attempts: Attempts
    readonly events: Events
    readonly gates: Gates
    readonly runners: Runners
    readonly outbox: Outbox
    readonly questions: Questions
    readonly schedules: Schedules
    readonly workflows: Workflows
    readonly sensors: Sensors
    readonly backlog: Backlog
    readonly budgets: Budgets
    readonly usage: UsageSums
    readonly maintenance: Maintenance
    readonly adoption: Adoption
    /**
     * Runs a program as one transaction, named for traces; inside another one it joins it. While a database
     * is busy the program is run again, so it must do nothing but store calls: no fork, no sleep, no other
     * I/O, and times taken before it; an id that is taken in it is another one each time.
     */
    readonly transact: <A, E, R>(
      name: string,
      program: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | StoreUnavailable, R>
    /**
     * Emits once when it has begun to listen, then after any commit by any process; several commits may be one
     * element. Whoever reads on every element misses nothing.
     */
    readonly changes: Stream.Stream<void>
    /**
     * `changes` for who is told often: runs `tell` after any commit from now on, until the scope's end; once for
     * several, maybe. It runs in the turn of whoever committed, so that it only notes what is to be done.
     */
    readonly listen: (tell: () => void) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}
