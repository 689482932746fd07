import { Effect, Option } from "effect"
import type { Claimable, RetryProspect } from "../../src/store/TaskLists.ts"
import { json } from "./columns.ts"
import type { Row, Sqlite } from "./Sqlite.ts"
import { statement } from "./statement.ts"

const LIVE = "('pending', 'running', 'retryable_failure', 'blocked')"
const PROSPECTS = statement(`
  SELECT task_id, dedupe_key, workflow_id, workflow_state, replay_of,
    (SELECT other.task_id FROM tasks AS other WHERE other.dedupe_key = tasks.dedupe_key
      AND other.task_id <> tasks.task_id AND other.status IN ${LIVE}) AS key_holder,
    (SELECT other.task_id FROM tasks AS other WHERE other.workflow_id = tasks.workflow_id
      AND other.workflow_state = tasks.workflow_state AND other.task_id <> tasks.task_id
      AND other.status IN ${LIVE}) AS state_holder,
    (SELECT attempts.task_id FROM attempts WHERE attempts.attempt_id = tasks.replay_of) AS original
  FROM tasks WHERE task_id IN (SELECT value FROM json_each(:ids))`)

/** Why another does not get what a task has. */
const has = (taskId: unknown, what: string): string => `task ${taskId}, which is not finished, ${what}`
const KEY = "holds its dedupe key"
const STATE = "holds its workflow's state"

const rival = ({ key_holder: key, state_holder: state }: Row): Option.Option<string> =>
  typeof key === "string"
    ? Option.some(has(key, KEY))
    : typeof state === "string"
      ? Option.some(has(state, STATE))
      : Option.none()

const unheard = ({ original, replay_of: attemptId }: Row): Option.Option<string> => {
  if (typeof attemptId !== "string") return Option.none()
  const instead = original === null ? "" : `, or task ${original}, which is replayed, with it`
  return Option.some(
    `it replays attempt ${attemptId}, whose recorded prompt has no room for a note; retry it without one${instead}`
  )
}

const claims = (row: Row): ReadonlyArray<Claimable> => {
  const { dedupe_key: key, task_id: taskId, workflow_id: workflowId, workflow_state: state } = row
  return [
    ...(typeof key === "string" ? [{ what: `key ${key}`, why: has(taskId, KEY) }] : []),
    ...(typeof workflowId === "number" && typeof state === "string"
      ? [{ what: `state ${workflowId} ${state}`, why: has(taskId, STATE) }]
      : [])
  ]
}

/** See Tasks.retryProspects. */
export const retryProspects = (sqlite: Sqlite["Type"], ids: ReadonlyArray<string>) =>
  Effect.map(
    sqlite.rows(PROSPECTS, { ids: json(ids) }),
    (rows): ReadonlyMap<string, RetryProspect> =>
      new Map(
        rows.map((row) => [
          String(row.task_id),
          { rival: rival(row), unheard: unheard(row), claims: claims(row) }
        ])
      )
  )
