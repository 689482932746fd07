import { touchesTasks } from "./Records.ts"
import { useRecord } from "./UseRecord.ts"
import type { Reason, Waiting } from "./Wire.ts"

/** What those of the queue wait for that would be taken first, by task: asked for together, not one by one. */
export const useReasons = (limit: number): ReadonlyMap<string, Waiting> => {
  const found = useRecord<{ readonly reasons: ReadonlyArray<Reason> }>(
    `/api/queue/reasons?limit=${limit}`,
    touchesTasks
  )
  return new Map((found.data?.reasons ?? []).map(({ task_id, waiting }) => [task_id, waiting]))
}
