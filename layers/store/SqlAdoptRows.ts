import { statement } from "./statement.ts"

// What `SqlAdoption` writes. A row that is here already stays as it is: every statement answers what it added.

const LIVE = "('pending', 'running', 'retryable_failure', 'blocked')"

export const HAS_TASK = statement("SELECT status, updated_at FROM tasks WHERE task_id = :taskId")
export const HAS_ATTEMPT = statement(
  "SELECT adapter_mode FROM attempts WHERE attempt_id = :attemptId AND task_id = :taskId"
)
export const HOLDER = statement(`SELECT task_id FROM tasks WHERE dedupe_key = :key AND status IN ${LIVE}`)
export const AT_STATE = statement(`
  SELECT task_id, created_at, created_by_json FROM tasks
  WHERE workflow_id = :workflowId AND workflow_state = :state AND status IN ${LIVE}`)
export const LEAVE_STATE = statement("UPDATE tasks SET workflow_state = NULL WHERE task_id = :taskId")
export const ADD_TASK = statement(`
  INSERT INTO tasks (task_id, kind, source, subject, description, priority, payload_json, requested_profile,
    requested_adapter, requested_model, max_attempts, dedupe_key, status, attempt_count, created_at, updated_at,
    available_at, started_at, finished_at, outcome_json, last_error, parent_task_id, workflow_id, workflow_state,
    untrusted, lane, ready, created_by_json)
  VALUES (:taskId, :kind, :source, :subject, :description, :priority, :payload, :requestedProfile, :requestedAdapter,
    :requestedModel, :maxAttempts, :dedupeKey, :status, :attemptCount, :createdAt, :updatedAt, :availableAt, :startedAt,
    :finishedAt, :outcome, :lastError, :parent, :workflowId, :workflowState, :untrusted, :lane, :ready, :createdBy)`)

export const ADD_ATTEMPT = statement(`
  INSERT INTO attempts (attempt_id, task_id, number, round, runner_id, host, adapter_id, adapter_mode, model, status,
    started_at, ended_at, exit_status, retry_class, reason, bundle_id, usage_json, prompt_path, stdout_path, stderr_path,
    result_path)
  VALUES (:attemptId, :taskId,
    (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE task_id = :taskId), 1, :runnerId, :host, :adapterId,
    :adapterMode, :model, :status, :startedAt, :endedAt, :exitStatus, :retryClass, :reason, :bundleId, :usage,
    :promptPath, :stdoutPath, :stderrPath, :resultPath)
  ON CONFLICT (attempt_id) DO NOTHING RETURNING attempt_id`)
/** An attempt that has ended counts on its day, as one of ours does; tokens and cost are not known of it. */
export const ADD_USE = statement(`
  INSERT INTO usage (day, adapter_id, profile_id, model, attempts)
  SELECT substr(ended_at, 1, 10), adapter_id, '', coalesce(model, ''), 1 FROM attempts
  WHERE attempt_id = :attemptId AND status = 'finished' AND ended_at IS NOT NULL AND adapter_id IS NOT NULL
  ON CONFLICT DO UPDATE SET attempts = attempts + 1`)
export const CLOSE_OPEN = statement(`
  UPDATE attempts SET status = 'finished', ended_at = :at, exit_status = 'error', retry_class = 'retryable',
    reason = 'boot_sweep'
  WHERE task_id = :taskId AND status = 'running' RETURNING attempt_id`)

export const ADD_BUNDLE = statement(`
  INSERT INTO bundles (bundle_id, task_id, attempt_id, bundle_hash, bundle_version, profile_id, adapter_id, adapter_mode,
    model, replay_grade, relative_path, prompt_relative_path, created_at)
  VALUES (:bundleId, :taskId, :attemptId, :bundleHash, :bundleVersion, :profileId, :adapterId, :adapterMode, :model,
    :replayGrade, :relativePath, :promptRelativePath, :createdAt)
  ON CONFLICT (bundle_id) DO NOTHING RETURNING bundle_id`)
export const OF_BUNDLE = statement(`
  UPDATE attempts SET bundle_hash = :bundleHash, replay_grade = :replayGrade, profile_id = :profileId,
    bundle_id = coalesce(bundle_id, :bundleId)
  WHERE attempt_id = :attemptId AND coalesce(bundle_id, :bundleId) = :bundleId`)

export const WORKFLOW_OF_KEY = statement(
  "SELECT id, template FROM workflows WHERE instance_key = :instanceKey"
)
export const WORKFLOW_OF_ID = statement("SELECT id FROM workflows WHERE id = :id")
export const ADD_WORKFLOW = statement(`
  INSERT INTO workflows (id, template, instance_key, current_state, context_json, status, stalled_reason,
    created_by_json, created_at, updated_at, completed_at)
  VALUES (:id, :template, :instanceKey, :state, :context, :status, :stalledReason, :createdBy, :createdAt, :updatedAt,
    :completedAt)
  RETURNING id`)

export const ADD_SCHEDULE = statement(`
  INSERT INTO schedules (schedule_id, name, enabled, interval_seconds, next_run_at, last_run_at, task_json,
    disabled_reason, created_by_json, created_at, updated_at)
  VALUES (:scheduleId, :name, :enabled, :intervalSeconds, :nextRunAt, :lastRunAt, :task, :disabledReason, :createdBy,
    :createdAt, :updatedAt)
  ON CONFLICT DO NOTHING RETURNING schedule_id`)
export const HAS_SCHEDULE = statement("SELECT schedule_id FROM schedules WHERE schedule_id = :scheduleId")
export const LAST_TASK = statement(
  "UPDATE schedules SET last_task_id = :taskId WHERE schedule_id = :scheduleId"
)

export const ADD_SENSOR_EVENT = statement(`
  INSERT INTO sensor_events (sensor_event_id, sensor_id, event_id, source_ref, dedupe_key, payload_json, observed_at,
    freshness_deadline, task_id, workflow_id, created_at)
  VALUES (:sensorEventId, :sensorId, :eventId, :sourceRef, :dedupeKey, :payload, :observedAt, :deadline, :taskId,
    :workflowId, :createdAt)
  ON CONFLICT DO NOTHING RETURNING sensor_event_id`)
export const HAS_SENSOR_EVENT = statement(
  "SELECT sensor_event_id FROM sensor_events WHERE sensor_event_id = :sensorEventId"
)

export const ADD_EVENT = statement(`
  INSERT INTO run_events (id, event_type, task_id, attempt_id, workflow_id, schedule_id, actor_json, detail_json, created_at)
  VALUES (:id, :type, :taskId, :attemptId,
    coalesce(:workflowId, (SELECT workflow_id FROM tasks WHERE task_id = :taskId)), :scheduleId, :actor, :detail,
    :createdAt)`)

export const KEEP = statement(`
  INSERT INTO adopted_rows (table_name, row_id, task_id, original_json) VALUES (:table, :id, :taskId, :original)
  ON CONFLICT DO NOTHING`)
export const KEPT = statement(
  "SELECT original_json FROM adopted_rows WHERE table_name = :table AND row_id = :id"
)
export const GONE = statement("SELECT row_id FROM adopted_gone WHERE table_name = :table AND row_id = :id")
export const ADOPTION = statement(
  "SELECT last_event_id, adopted_at FROM adoptions WHERE source_id = :sourceId"
)
export const RECORD = statement(`
  INSERT INTO adoptions (source_id, path, sha256, last_event_id, adopted_at)
  VALUES (:sourceId, :path, :hash, :lastEventId, :at)
  ON CONFLICT (source_id) DO UPDATE SET path = excluded.path, sha256 = excluded.sha256,
    last_event_id = excluded.last_event_id, adopted_at = excluded.adopted_at`)
