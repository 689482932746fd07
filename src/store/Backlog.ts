import type { Effect, Option } from "effect"
import type { TaskId } from "../domain/Ids.ts"
import type { JsonObject } from "../domain/Json.ts"
import type { StoreUnavailable } from "./StoreError.ts"

/** What a task of a backlog is known by: its source and subject; without a subject its kind and payload as well. */
export interface BacklogKey {
  readonly source: string
  readonly subject: Option.Option<string>
  readonly kind: string
  readonly payload: JsonObject
}

/** `Crowded`: the source has more than 10,000 tasks, and among so many it is not searched. */
export type Seeded =
  | { readonly _tag: "Found"; readonly taskId: TaskId; readonly kind: string }
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Crowded" }

/** What of a backlog was made already. */
export interface Backlog {
  /** The task that a key was remembered with, also when it is gone; else the first of the key, whatever its status. */
  readonly find: (key: BacklogKey) => Effect.Effect<Seeded, StoreUnavailable>
  /** Keeps of a key which task it has, for as long as the store lives. Of a key that is kept nothing changes. */
  readonly remember: (
    key: BacklogKey,
    task: { readonly taskId: TaskId; readonly kind: string }
  ) => Effect.Effect<void, StoreUnavailable>
}
