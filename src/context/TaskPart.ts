import { Schema } from "effect"
import type { JsonObject } from "../domain/Json.ts"
import { Task } from "../domain/Task.ts"

/**
 * Fields of a task's record that are its place in the queue, not its work: which row it is, when and how often
 * it is tried, by what right it comes first, and how it went. None of them enters a bundle, so that every
 * attempt has the same one. Its id is among them: a UUIDv7 carries the clock, and the same work queued on
 * another machine must hash the same. The row in `bundles` says which task a bundle belongs to.
 */
const QUEUE_STATE: ReadonlySet<string> = new Set([
  "task_id",
  "parent_task_id",
  "status",
  "priority",
  "max_attempts",
  "dedupe_key",
  "attempt_count",
  "created_at",
  "updated_at",
  "available_at",
  "started_at",
  "finished_at",
  "outcome",
  "last_error"
])

const encode = Schema.encodeSync(Task)

/** The task as its bundle records it: the wire form without queue state. */
export const taskPart = (task: Task): JsonObject =>
  Object.fromEntries(Object.entries(encode(task)).filter(([key]) => !QUEUE_STATE.has(key)))
