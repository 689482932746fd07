import type { DateTime, Effect, Option } from "effect"
import type { AuditFile } from "../artifact/AuditFolder.ts"
import type { Actor, Stamp } from "../domain/Actor.ts"
import type { Attempt, ExitStatus, RetryClass } from "../domain/Attempt.ts"
import type { AttemptId, RunnerId, TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { KnownFile, NewTask, Round, Task, TaskStatus } from "../domain/Task.ts"
import type { Usage } from "../domain/Usage.ts"
import type { Ground } from "./Gates.ts"
import type { StoreUnavailable } from "./StoreError.ts"
import type {
  Candidate,
  Page,
  Payloads,
  RetryProspect,
  TaskFilter,
  TaskPage,
  TasksInOrder
} from "./TaskLists.ts"

/** What decides where a task may run; eligibility is judged by lane, before the claim. */
export interface Lane {
  readonly key: string
  readonly requestedAdapter: Option.Option<string>
  readonly requestedProfile: Option.Option<string>
  readonly untrusted: boolean
  /** The template of the workflow that the task belongs to: what budgets by workflow close. */
  readonly workflowTemplate: Option.Option<string>
}

/** So many lanes are judged at once; the best of their tasks is the best of all, unless there are more. */
export const MOST_LANES = 10_000

/** What waits after delayed tasks were promoted. */
export interface Ready {
  readonly promoted: number
  readonly lanes: ReadonlyArray<Lane>
}

/** What the order of claims goes by: priority, then age, then id. */
export interface Head {
  readonly taskId: TaskId
  readonly priority: number
  readonly createdAt: DateTime.Utc
}

export interface ClaimRequest {
  /** Keys of the lanes that may run now. */
  readonly lanes: ReadonlyArray<string>
  /** Where the tasks of a lane work, by its key; what is claimed occupies it from then on. */
  readonly grounds?: ReadonlyMap<string, Ground>
  readonly attemptId: AttemptId
  readonly runnerId: RunnerId
  readonly host: string
  readonly stamp: Stamp
}

export interface ClaimedTask {
  readonly task: Task
  readonly round: Round
  readonly attempt: Attempt
  /** What the claim gave the attempt to work in; absent for an adapter without hands. */
  readonly ground?: Ground
}

export type Claim =
  | { readonly _tag: "Claimed"; readonly claimed: ClaimedTask }
  /**
   * A task that cannot run was set aside as `blocked`, as its `error` tells: its row does not decode, an attempt of it is
   * running all the same, or it waits with no attempt left. There may be others to claim.
   */
  | {
      readonly _tag: "Quarantined"
      readonly taskId: TaskId
      readonly problem: string
      readonly error: string
    }
  | { readonly _tag: "None" }

/** How an attempt ended, as it is written to its row. */
export interface AttemptEnd {
  readonly exitStatus: Option.Option<ExitStatus>
  readonly retryClass: Option.Option<RetryClass>
  readonly reason: string
  readonly issues: ReadonlyArray<string>
  readonly usage: Usage
  /** The session that its program kept, and what that has cost by now. */
  readonly session?: { readonly id: string; readonly costUsd: number }
  /** True when it was ended from outside, so that what it used could not be told: budgets then take the worst. */
  readonly cutOff?: boolean
  /** Files that its record named at its start and that never came into being: it names them no more. */
  readonly absent?: ReadonlyArray<AuditFile>
  /** What the attempt's event tells beside the above. */
  readonly detail?: JsonObject
}

/** What becomes of the task. `detail` goes into the event that tells the decision. */
export type Move =
  | { readonly _tag: "Complete"; readonly outcome: Outcome }
  | { readonly _tag: "Block"; readonly outcome: Option.Option<Outcome>; readonly error: string }
  | { readonly _tag: "FailForGood"; readonly outcome: Option.Option<Outcome>; readonly error: string }
  | {
      readonly _tag: "RetryAt"
      readonly at: DateTime.Utc
      readonly outcome: Option.Option<Outcome>
      readonly error: string
    }
  /** A rate limit: waits until `at`, the attempt is not counted. */
  | {
      readonly _tag: "SnoozeUntil"
      /** What is waited for where it is no rate limit; the event tells it as any other wait. */
      readonly waitsFor?: "workspace" | "concurrency" | "store"
      readonly at: DateTime.Utc
      readonly outcome: Option.Option<Outcome>
      readonly error: string
    }
  /** Due at once; `counted` is false after a drain, true after a boot sweep. */
  | { readonly _tag: "PutBack"; readonly counted: boolean; readonly error: string }
  | { readonly _tag: "Cancel"; readonly reason: string }

export interface Settlement {
  readonly attemptId: AttemptId
  readonly end: AttemptEnd
  readonly move: Move
  readonly stamp: Stamp
}

/**
 * `Late`: the attempt was no longer running; nothing moved but a `late_result_ignored` event. So it is where the task
 * was not running, as only a damaged record can have it, but that the attempt is ended.
 */
export type Settled = { readonly _tag: "Settled"; readonly status: TaskStatus } | { readonly _tag: "Late" }

/** Who asked to cancel a running task, and why. */
export interface CancelRequest {
  readonly actor: Actor
  readonly reason: Option.Option<string>
}

/** `Refused` names why in a sentence, and who moved the task last, and when; nothing was changed. */
export type Moved =
  | { readonly _tag: "Moved"; readonly task: Task }
  | { readonly _tag: "NotFound" }
  | { readonly _tag: "Refused"; readonly task: Task; readonly why: string }

/** Tasks and their moves. Every move is one transaction that also writes its run event. */
export interface Tasks {
  /** Adds a task; while another unfinished one holds its dedupe key, answers that one and adds none. */
  readonly add: (
    task: NewTask,
    stamp: Stamp
  ) => Effect.Effect<{ readonly created: boolean; readonly task: Task }, StoreUnavailable>
  /** None when there is no such task. */
  readonly find: (
    id: TaskId
  ) => Effect.Effect<Option.Option<{ readonly task: Task; readonly round: Round }>, StoreUnavailable>
  /** Ids that begin with a text, at most `limit`. */
  readonly startingWith: (
    prefix: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<TaskId>, StoreUnavailable>
  /** The unfinished task that holds a dedupe key. */
  readonly holderOf: (dedupeKey: string) => Effect.Effect<Option.Option<TaskId>, StoreUnavailable>
  /**
   * Newest first, with their payloads as `payloads` says, `whole` by default. `limit` 1..500; a cursor that this store did not give fails
   * the lookup with none.
   */
  readonly list: (
    filter: TaskFilter,
    page: Page,
    payloads?: Payloads
  ) => Effect.Effect<Option.Option<TaskPage>, StoreUnavailable>
  /**
   * The tasks that `list` would answer, as a move of many needs them: a page of them. The event loop turns first: who
   * reads page after page holds nobody up.
   */
  readonly matching: (
    filter: TaskFilter,
    page: Page
  ) => Effect.Effect<
    { readonly tasks: ReadonlyArray<Candidate>; readonly next: Option.Option<string> },
    StoreUnavailable
  >
  /**
   * As `list`, of those alone whose id begins with the words, which come first, or in whose subject, kind and
   * source each of the words begins a word. A page reads at most 10,000 rows. Payloads are shortened.
   */
  readonly search: (
    filter: TaskFilter,
    words: string,
    page: Page
  ) => Effect.Effect<Option.Option<TaskPage>, StoreUnavailable>
  /**
   * The tasks that wait, in the order in which they would be taken: those that are due by `now` first, as a claim would
   * find them, then those that are due later, soonest first. Whether an adapter can take them now is not asked.
   * `limit` 1..500. Payloads are shortened.
   */
  readonly upcoming: (
    limit: number,
    now: DateTime.Utc
  ) => Effect.Effect<ReadonlyArray<Task>, StoreUnavailable>
  /**
   * The tasks that have ended, those first that ended last, with shortened payloads. A cursor that this store did not
   * give is none.
   */
  readonly ended: (page: Page) => Effect.Effect<Option.Option<TasksInOrder>, StoreUnavailable>
  /** The same of those that are blocked, those first that have been so longest. */
  readonly blocked: (page: Page) => Effect.Effect<Option.Option<TasksInOrder>, StoreUnavailable>
  /** How many tasks that operators wrote are not finished, counted up to `most`. */
  readonly unfinishedOfOperators: (most: number) => Effect.Effect<number, StoreUnavailable>
  readonly children: (id: TaskId, limit: number) => Effect.Effect<ReadonlyArray<Task>, StoreUnavailable>
  /** Tasks that run an attempt of this task again, attempt by attempt, first to last. */
  readonly replays: (id: TaskId, limit: number) => Effect.Effect<ReadonlyArray<Task>, StoreUnavailable>
  /** How many descendants of a root are not finished, counted up to 101. */
  readonly unfinishedDescendants: (root: TaskId) => Effect.Effect<number, StoreUnavailable>
  /** The last completed tasks of a kind, newest first, replays left out: what the prompt's memory is made from. */
  readonly recentCompleted: (
    kind: string,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Task>, StoreUnavailable>
  /**
   * How many tasks of the lanes (their keys) come before a task, as a claim would find them at `now`: of higher
   * priority, and of the same but older. Each is counted up to 1,001.
   */
  readonly before: (
    task: Pick<Task, "taskId" | "priority" | "createdAt">,
    lanes: ReadonlyArray<string>,
    now: DateTime.Utc
  ) => Effect.Effect<{ readonly higher: number; readonly older: number }, StoreUnavailable>
  readonly counts: Effect.Effect<Readonly<Record<TaskStatus, number>>, StoreUnavailable>
  /** When the earliest delayed task is due; none when none is delayed. */
  readonly nextDue: Effect.Effect<Option.Option<DateTime.Utc>, StoreUnavailable>
  /** Makes tasks that are due by `now` ready, at most 1,000, earliest first; answers how many, and `lanes` after that. */
  readonly promote: (now: DateTime.Utc) => Effect.Effect<Ready, StoreUnavailable>
  /** The lanes that have ready tasks, by their keys, at most `MOST_LANES`. */
  readonly lanes: Effect.Effect<ReadonlyArray<Lane>, StoreUnavailable>
  /** Those that come after this key, as many: for whoever may start none of the ones before. */
  readonly lanesAfter: (key: string) => Effect.Effect<ReadonlyArray<Lane>, StoreUnavailable>
  /** Those that a claim would find at `now`, which first makes ready what is due. */
  readonly lanesAt: (now: DateTime.Utc) => Effect.Effect<ReadonlyArray<Lane>, StoreUnavailable>
  /** What `claim` would take of each of these lanes that has a ready task, by the lane's key; with a time, then. */
  readonly heads: (
    lanes: ReadonlyArray<string>,
    dueBy?: DateTime.Utc
  ) => Effect.Effect<ReadonlyMap<string, Head>, StoreUnavailable>
  /** Takes the best ready task of the open lanes and opens its attempt. */
  readonly claim: (request: ClaimRequest) => Effect.Effect<Claim, StoreUnavailable>
  /** Ends a running attempt and moves its task; only the running attempt can. */
  readonly settle: (settlement: Settlement) => Effect.Effect<Settled, StoreUnavailable>
  /** Remembers what was known when the round began; a second call in the same round changes nothing. */
  readonly beginRound: (
    id: TaskId,
    at: DateTime.Utc,
    known: ReadonlyArray<KnownFile>
  ) => Effect.Effect<void, StoreUnavailable>
  /** Cancels a task that is not running. `told` is what its event tells beside: the mark of a move of many. */
  readonly cancel: (
    id: TaskId,
    reason: Option.Option<string>,
    stamp: Stamp,
    told?: JsonObject
  ) => Effect.Effect<Moved, StoreUnavailable>
  /**
   * Asks the dispatcher that runs a task to stop it; refused when it is not running, or was asked already. One that
   * nobody attends to is canceled by it.
   */
  readonly requestCancel: (
    id: TaskId,
    reason: Option.Option<string>,
    stamp: Stamp,
    told?: JsonObject
  ) => Effect.Effect<Moved, StoreUnavailable>
  /** Who asked to cancel a running task, and why; none when nobody did. */
  readonly cancelRequested: (id: TaskId) => Effect.Effect<Option.Option<CancelRequest>, StoreUnavailable>
  /** Tasks that run in their record alone, no attempt of theirs being open: it was damaged. At most 100. */
  readonly unattended: Effect.Effect<ReadonlyArray<TaskId>, StoreUnavailable>
  /** Whether a task is one of those. */
  readonly isUnattended: (id: TaskId) => Effect.Effect<boolean, StoreUnavailable>
  /** Sets such a task aside as `blocked`; false when it is none. */
  readonly setUnattendedAside: (
    id: TaskId,
    problem: string,
    stamp: Stamp
  ) => Effect.Effect<boolean, StoreUnavailable>
  /** Begins a fresh round of a blocked or terminal task. A replay takes no note: its prompt is recorded. `told` as for `cancel`. */
  readonly retry: (
    id: TaskId,
    note: Option.Option<string>,
    stamp: Stamp,
    told?: JsonObject
  ) => Effect.Effect<Moved, StoreUnavailable>
  /** What `retry` would meet of each of these tasks that is there, by id; nothing is written. */
  readonly retryProspects: (
    ids: ReadonlyArray<TaskId>
  ) => Effect.Effect<ReadonlyMap<string, RetryProspect>, StoreUnavailable>
}
