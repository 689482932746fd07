import type { Option } from "effect"
import type { TaskId } from "../domain/Ids.ts"
import type { Task, TaskStatus } from "../domain/Task.ts"

export interface TaskFilter {
  readonly status: ReadonlyArray<TaskStatus>
  readonly kind: Option.Option<string>
  readonly source: Option.Option<string>
}

/** A part of a list: at most `limit`, behind a cursor that the list gave. */
export interface Page {
  readonly limit: number
  readonly after: Option.Option<string>
}

/**
 * What a list shows of payloads. Of `shortened` ones that are longer than 2 KiB it shows `{ shortened: true, characters,
 * beginning }`, and of all with `none` an empty object: what is not shown is not read, so that damage in it is not told.
 */
export type Payloads = "whole" | "shortened" | "none"

export interface TasksInOrder {
  readonly tasks: ReadonlyArray<Task>
  /** Opaque; none on the last page. */
  readonly next: Option.Option<string>
}

export interface TaskPage extends TasksInOrder {
  /** True when the page ended because it had read its most of rows, not because it was full. */
  readonly partial: boolean
}

/** A task as a move of many looks at it. */
export interface Candidate {
  readonly taskId: TaskId
  readonly status: TaskStatus
}

/** What only one unfinished task can have. */
export interface Claimable {
  readonly what: string
  /** Why another one does not get it. */
  readonly why: string
}

/** What a retry of a task would meet, its status apart. */
export interface RetryProspect {
  /** Why it would break a promise of uniqueness. */
  readonly rival: Option.Option<string>
  /** Why a note would reach no prompt. */
  readonly unheard: Option.Option<string>
  /** What it would have from then on. */
  readonly claims: ReadonlyArray<Claimable>
}
