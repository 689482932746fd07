import type { Database } from "bun:sqlite"

const LIVE = "('pending', 'running', 'retryable_failure', 'blocked')"
const WAITING = "('pending', 'retryable_failure')"

/** Attempts that may be taken back in one round. */
const MOST_TAKEN_BACK = 20

interface Rule {
  /** Rows that break it, each with a text `it`. */
  readonly breaks: string
  readonly says: string
}

/** What holds between rows at every moment, whoever died when. */
const rules: ReadonlyArray<Rule> = [
  {
    breaks: `SELECT dedupe_key AS it FROM tasks WHERE dedupe_key IS NOT NULL AND status IN ${LIVE} GROUP BY dedupe_key HAVING count(*) > 1`,
    says: "two unfinished tasks have the dedupe key"
  },
  {
    breaks: `SELECT task_id AS it FROM tasks WHERE attempt_count > max_attempts OR not_counted > ${MOST_TAKEN_BACK}`,
    says: "more attempts than a round may have were counted or taken back for task"
  },
  {
    breaks: `SELECT task_id AS it FROM tasks WHERE status IN ${WAITING} AND attempt_count >= max_attempts`,
    says: "nobody will ever act, its attempts being used up, on task"
  },
  {
    breaks: `SELECT w.id AS it FROM workflows AS w WHERE w.status = 'active' AND (SELECT count(*) FROM tasks AS t WHERE t.workflow_id = w.id AND t.status IN ${LIVE}) <> 1`,
    says: "not exactly one unfinished task has the active workflow"
  },
  {
    breaks:
      "SELECT w.id AS it FROM workflows AS w WHERE w.status = 'stalled' AND coalesce(w.stalled_reason, '') = ''",
    says: "no reason is given for the stall of workflow"
  },
  {
    breaks:
      "SELECT q.task_id AS it FROM questions AS q JOIN tasks AS t USING (task_id) WHERE q.closed_at IS NULL AND t.status <> 'blocked'",
    says: "an open question has, without being blocked, task"
  },
  {
    breaks:
      "SELECT q.task_id AS it FROM questions AS q WHERE q.answer IS NOT NULL AND (q.closed_at IS NULL OR q.answered_at IS NULL)",
    says: "an answer without its time has a question of task"
  },
  {
    breaks:
      "SELECT b.budget_id AS it FROM budgets AS b WHERE b.reserved < 0 OR b.spent < 0 OR (b.reserved > 0 AND NOT EXISTS (SELECT 1 FROM attempts WHERE status = 'running'))",
    says: "an amount is set aside for nobody, or below zero, in budget"
  },
  {
    breaks:
      "SELECT o.id AS it FROM outbox AS o JOIN tasks AS t USING (task_id) WHERE t.status NOT IN ('completed') AND NOT EXISTS (SELECT 1 FROM run_events AS e WHERE e.task_id = o.task_id AND e.event_type = 'task_retried')",
    says: "a task that is not completed sent message"
  },
  {
    breaks:
      "SELECT t.task_id AS it FROM tasks AS t WHERE t.parent_task_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks AS p WHERE p.task_id = t.parent_task_id AND p.status = 'completed') AND NOT EXISTS (SELECT 1 FROM run_events AS e WHERE e.task_id = t.parent_task_id AND e.event_type IN ('task_retried', 'task_replayed'))",
    says: "no completed parent has the follow-up"
  },
  {
    breaks:
      "SELECT s.sensor_event_id AS it FROM sensor_events AS s WHERE s.task_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.task_id = s.task_id)",
    says: "a task that is not there was made by sensor event"
  },
  {
    breaks:
      "SELECT f.id AS it FROM schedule_fates AS f WHERE f.task_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.task_id = f.task_id)",
    says: "a task that is not there was fired by the schedule's fate"
  }
]

/** The rules that rows of a database break, a sentence for each row. */
export const broken = (db: Database): ReadonlyArray<string> =>
  rules.flatMap(({ breaks, says }) =>
    db
      .query<{ readonly it: string | number }, []>(breaks)
      .all()
      .map(({ it }) => `${says} ${it}`)
  )
