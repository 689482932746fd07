-- A paragraph is a statement. Times are ISO 8601 UTC text with milliseconds; columns that end in _json are JSON.

CREATE TABLE tasks (
  task_id TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  subject TEXT,
  description TEXT,
  priority INTEGER NOT NULL,
  payload_json TEXT NOT NULL,
  requested_profile TEXT,
  requested_adapter TEXT,
  requested_model TEXT,
  max_attempts INTEGER NOT NULL,
  dedupe_key TEXT,
  status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'retryable_failure', 'permanent_failure', 'blocked', 'operator_canceled')),
  attempt_count INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  available_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  outcome_json TEXT,
  last_error TEXT,
  parent_task_id TEXT,
  workflow_id INTEGER,
  untrusted INTEGER NOT NULL DEFAULT 0,
  -- What decides where a task may run, as one text; the ready index begins with it.
  lane TEXT NOT NULL,
  -- 1 once the task is due and may be claimed. Delayed tasks stay out of the ready index until promoted.
  ready INTEGER NOT NULL DEFAULT 0 CHECK (ready = 0 OR status IN ('pending', 'retryable_failure')),
  round INTEGER NOT NULL DEFAULT 1,
  round_started_at TEXT,
  not_counted INTEGER NOT NULL DEFAULT 0,
  known_json TEXT,
  note TEXT,
  cancel_requested_at TEXT,
  cancel_json TEXT,
  replay_of TEXT,
  workflow_state TEXT,
  generation INTEGER NOT NULL DEFAULT 0,
  root_task_id TEXT,
  trace_parent TEXT,
  created_by_json TEXT NOT NULL,
  -- The lists' indexes are kept a batch at a time (see tasks_by_age below): as what they have the task, NULL before.
  listed_status TEXT CHECK (listed_status IN ('pending', 'completed', 'retryable_failure', 'permanent_failure', 'blocked', 'operator_canceled')),
  -- 1 while it stands otherwise than they have it: then it is found by tasks_to_list. One that runs, as it will not for long, is never listed.
  to_list INTEGER NOT NULL DEFAULT 0 CHECK (to_list IN (0, 1))
) STRICT

CREATE INDEX tasks_ready ON tasks (lane, priority DESC, created_at, task_id) WHERE ready = 1

CREATE INDEX tasks_delayed ON tasks (available_at, task_id) WHERE ready = 0 AND status IN ('pending', 'retryable_failure')

CREATE UNIQUE INDEX tasks_live_dedupe_key ON tasks (dedupe_key) WHERE dedupe_key IS NOT NULL AND status IN ('pending', 'running', 'retryable_failure', 'blocked')

CREATE UNIQUE INDEX tasks_live_workflow_state ON tasks (workflow_id, workflow_state) WHERE workflow_id IS NOT NULL AND status IN ('pending', 'running', 'retryable_failure', 'blocked')

-- An entry a task, by its place in the table: few, and mostly on one page.
CREATE INDEX tasks_to_list ON tasks (to_list) WHERE to_list = 1

CREATE INDEX tasks_created ON tasks (created_at, task_id) WHERE listed_status IS NOT NULL

CREATE INDEX tasks_status ON tasks (listed_status, created_at, task_id) WHERE listed_status IS NOT NULL

-- What ended last is what people look for first.
CREATE INDEX tasks_ended ON tasks (finished_at, task_id) WHERE listed_status IN ('completed', 'permanent_failure', 'operator_canceled')

-- What has been blocked longest is what somebody has to see first.
CREATE INDEX tasks_blocked ON tasks (updated_at, task_id) WHERE listed_status = 'blocked'

CREATE INDEX tasks_kind ON tasks (kind, created_at, task_id) WHERE listed_status IS NOT NULL

CREATE INDEX tasks_source ON tasks (source, created_at, task_id) WHERE listed_status IS NOT NULL

-- For the prompt's memory of a kind.
CREATE INDEX tasks_completed ON tasks (kind, finished_at, task_id) WHERE listed_status = 'completed'

CREATE INDEX tasks_replay ON tasks (replay_of, created_at, task_id) WHERE replay_of IS NOT NULL

CREATE INDEX tasks_parent ON tasks (parent_task_id, created_at, task_id) WHERE parent_task_id IS NOT NULL

CREATE INDEX tasks_root ON tasks (root_task_id, status) WHERE root_task_id IS NOT NULL

-- How many messages of operators wait is asked with each new one.
CREATE INDEX tasks_operator_unfinished ON tasks (source) WHERE source = 'operator-ui' AND status IN ('pending', 'running', 'retryable_failure', 'blocked')

CREATE INDEX tasks_workflow ON tasks (workflow_id, created_at) WHERE workflow_id IS NOT NULL

-- Whoever writes here without knowing of the two columns has the task listed at once, and a later move of it noticed.
CREATE TRIGGER tasks_listed AFTER INSERT ON tasks WHEN NEW.to_list = 0 AND NEW.listed_status IS NOT NEW.status BEGIN
  UPDATE tasks SET listed_status = nullif(NEW.status, 'running'), to_list = NEW.status = 'running' WHERE rowid = NEW.rowid;
END

CREATE TRIGGER tasks_moved AFTER UPDATE OF status, listed_status, to_list ON tasks WHEN NEW.to_list = 0 AND NEW.listed_status IS NOT NEW.status BEGIN
  UPDATE tasks SET to_list = 1 WHERE rowid = NEW.rowid;
END

-- Kept by the triggers below as the lists' indexes are.
CREATE TABLE listed_counts (
  status TEXT PRIMARY KEY NOT NULL,
  n INTEGER NOT NULL
) STRICT, WITHOUT ROWID

INSERT INTO listed_counts (status, n) VALUES ('pending', 0), ('running', 0), ('completed', 0), ('retryable_failure', 0), ('permanent_failure', 0), ('blocked', 0), ('operator_canceled', 0)

CREATE TRIGGER tasks_counted_in AFTER INSERT ON tasks WHEN NEW.listed_status IS NOT NULL BEGIN
  UPDATE listed_counts SET n = n + 1 WHERE status = NEW.listed_status;
END

CREATE TRIGGER tasks_counted_out AFTER DELETE ON tasks WHEN OLD.listed_status IS NOT NULL BEGIN
  UPDATE listed_counts SET n = n - 1 WHERE status = OLD.listed_status;
END

CREATE TRIGGER tasks_counted_over AFTER UPDATE OF listed_status ON tasks WHEN NEW.listed_status IS NOT OLD.listed_status BEGIN
  UPDATE listed_counts SET n = n - 1 WHERE status = OLD.listed_status;
  UPDATE listed_counts SET n = n + 1 WHERE status = NEW.listed_status;
END

-- How many tasks there are of each status, at the same cost however many that is.
CREATE VIEW task_counts (status, n) AS
SELECT status, sum(n) FROM (
  SELECT status, n FROM listed_counts
  UNION ALL SELECT status, 1 FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1
  UNION ALL SELECT listed_status, -1 FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1 AND listed_status IS NOT NULL
) GROUP BY status

-- All tasks, for walks in the order of an index of the lists: what it has, merged with the few that it has not yet.
CREATE VIEW tasks_by_age AS
SELECT * FROM tasks WHERE listed_status IS NOT NULL
UNION ALL SELECT * FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1 AND listed_status IS NULL

CREATE VIEW tasks_by_status AS
SELECT * FROM tasks WHERE to_list = 0 AND listed_status = status
UNION ALL SELECT * FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1

-- The ended ones, for walks by their end.
CREATE VIEW tasks_by_end AS
SELECT * FROM tasks INDEXED BY tasks_ended WHERE to_list = 0 AND listed_status IN ('completed', 'permanent_failure', 'operator_canceled')
UNION ALL SELECT * FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1 AND status IN ('completed', 'permanent_failure', 'operator_canceled')

-- The blocked ones, for walks by since when they are.
CREATE VIEW blocked_by_age AS
SELECT * FROM tasks INDEXED BY tasks_blocked WHERE to_list = 0 AND listed_status = 'blocked'
UNION ALL SELECT * FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1 AND status = 'blocked'

CREATE VIEW completed_by_kind AS
SELECT * FROM tasks INDEXED BY tasks_completed WHERE to_list = 0 AND listed_status = 'completed'
UNION ALL SELECT * FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1 AND status = 'completed'

CREATE TABLE attempts (
  attempt_id TEXT PRIMARY KEY NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (task_id),
  number INTEGER NOT NULL,
  round INTEGER NOT NULL,
  runner_id TEXT NOT NULL,
  host TEXT NOT NULL,
  profile_id TEXT,
  adapter_id TEXT,
  adapter_mode TEXT,
  model TEXT,
  status TEXT NOT NULL CHECK (status IN ('running', 'finished')),
  started_at TEXT NOT NULL,
  ended_at TEXT CHECK ((ended_at IS NULL) = (status = 'running')),
  exit_status TEXT CHECK (exit_status IN ('ok', 'error', 'timeout', 'canceled')),
  retry_class TEXT CHECK (retry_class IN ('none', 'retryable', 'permanent')),
  reason TEXT,
  bundle_id TEXT,
  bundle_hash TEXT,
  replay_grade TEXT CHECK (replay_grade IN ('inputs_frozen', 'best_effort', 'non_replayable_model')),
  usage_json TEXT,
  issues_json TEXT NOT NULL DEFAULT '[]',
  prompt_path TEXT,
  stdout_path TEXT,
  stderr_path TEXT,
  result_path TEXT,
  -- The child that was started last, so that a sweep after the death of its dispatcher finds it.
  child_pid INTEGER,
  child_start_time TEXT,
  -- The folder it works in, symlinks resolved, and whom it lets in beside it; told to the claims of every process.
  working_dir TEXT,
  workspace TEXT CHECK (workspace IN ('exclusive', 'shared', 'worktree')),
  -- What was set aside in the claim, a list of budgets' accounts with amounts; settled when the attempt ends.
  reserved_json TEXT,
  -- The session of its program, where it may be gone on with, and what that had cost by the end of this attempt.
  session_id TEXT,
  session_cost_usd REAL,
  -- 0 while the two indexes of its start do not have it. Then its task is to be listed, too.
  listed INTEGER NOT NULL DEFAULT 1 CHECK (listed IN (0, 1)),
  UNIQUE (task_id, number)
) STRICT

-- They are few: whoever looks for those of a runner or a folder reads them all.
CREATE UNIQUE INDEX attempts_open ON attempts (task_id) WHERE status = 'running'

CREATE INDEX attempts_adapter ON attempts (adapter_id, started_at) WHERE listed = 1 AND adapter_id IS NOT NULL

CREATE INDEX attempts_started ON attempts (started_at, attempt_id) WHERE listed = 1

CREATE INDEX attempts_session ON attempts (session_id, ended_at) WHERE session_id IS NOT NULL

-- All attempts, for walks by their start.
CREATE VIEW attempts_by_start AS
SELECT * FROM attempts WHERE listed = 1
UNION ALL SELECT * FROM attempts
WHERE listed = 0 AND task_id IN (SELECT task_id FROM tasks INDEXED BY tasks_to_list WHERE to_list = 1)

CREATE TABLE bundles (
  bundle_id TEXT PRIMARY KEY NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (task_id),
  attempt_id TEXT NOT NULL REFERENCES attempts (attempt_id),
  bundle_hash TEXT NOT NULL,
  bundle_version INTEGER NOT NULL,
  profile_id TEXT NOT NULL,
  adapter_id TEXT NOT NULL,
  adapter_mode TEXT NOT NULL,
  model TEXT,
  replay_grade TEXT NOT NULL CHECK (replay_grade IN ('inputs_frozen', 'best_effort', 'non_replayable_model')),
  relative_path TEXT NOT NULL,
  prompt_relative_path TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT

CREATE INDEX bundles_task ON bundles (task_id, created_at)

CREATE INDEX bundles_attempt ON bundles (attempt_id)

CREATE TABLE run_events (
  -- The next one is given by the statement that appends: it is above event_marks, too.
  id INTEGER PRIMARY KEY,
  event_type TEXT NOT NULL,
  task_id TEXT,
  attempt_id TEXT,
  workflow_id INTEGER,
  schedule_id TEXT,
  actor_json TEXT NOT NULL,
  detail_json TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT

CREATE INDEX run_events_workflow ON run_events (workflow_id, id) WHERE workflow_id IS NOT NULL

CREATE TRIGGER run_events_append_only BEFORE UPDATE ON run_events BEGIN
  SELECT RAISE(ABORT, 'run_events is append-only');
END

CREATE TRIGGER run_events_oldest_first BEFORE DELETE ON run_events WHEN EXISTS (SELECT 1 FROM run_events WHERE id < OLD.id) BEGIN
  SELECT RAISE(ABORT, 'run_events is removed only from its old end');
END

-- Which events are a task's, kept a batch at a time: those after the mark 'listed' are found by reading them.
CREATE TABLE events_of_tasks (
  task_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (task_id, id)
) STRICT, WITHOUT ROWID

CREATE TABLE event_marks (
  mark TEXT PRIMARY KEY NOT NULL CHECK (mark IN ('given', 'listed')),
  id INTEGER NOT NULL
) STRICT, WITHOUT ROWID

-- 'given': ids up to it were given, though no row may tell so any more.
INSERT INTO event_marks (mark, id) VALUES ('given', 0), ('listed', 0)

CREATE VIEW events_by_task AS
SELECT listed.id, event_type, listed.task_id, attempt_id, workflow_id, schedule_id, actor_json, detail_json, created_at
FROM events_of_tasks AS listed CROSS JOIN run_events ON run_events.id = listed.id
UNION ALL SELECT id, event_type, task_id, attempt_id, workflow_id, schedule_id, actor_json, detail_json, created_at
FROM run_events WHERE id > (SELECT id FROM event_marks WHERE mark = 'listed') AND task_id IS NOT NULL

CREATE TRIGGER run_events_removed AFTER DELETE ON run_events BEGIN
  DELETE FROM events_of_tasks WHERE task_id = OLD.task_id AND id = OLD.id;
END

CREATE TRIGGER run_events_given AFTER DELETE ON run_events WHEN NOT EXISTS (SELECT 1 FROM run_events) BEGIN
  UPDATE event_marks SET id = max(id, OLD.id) WHERE mark = 'given';
END

CREATE TABLE workflows (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  template TEXT NOT NULL,
  instance_key TEXT NOT NULL UNIQUE,
  current_state TEXT NOT NULL,
  context_json TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'stalled', 'completed')),
  stalled_reason TEXT,
  -- Fresh rounds given to blocked tasks of the present state.
  retries INTEGER NOT NULL DEFAULT 0,
  created_by_json TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  completed_at TEXT
) STRICT

CREATE INDEX workflows_status ON workflows (status, id)

CREATE INDEX workflows_completed ON workflows (completed_at, id) WHERE status = 'completed'

-- How many workflows there are of each status, kept by the triggers below.
CREATE TABLE workflow_counts (
  status TEXT PRIMARY KEY NOT NULL,
  n INTEGER NOT NULL
) STRICT, WITHOUT ROWID

INSERT INTO workflow_counts (status, n) VALUES ('active', 0), ('stalled', 0), ('completed', 0)

CREATE TRIGGER workflows_counted_in AFTER INSERT ON workflows BEGIN
  UPDATE workflow_counts SET n = n + 1 WHERE status = NEW.status;
END

CREATE TRIGGER workflows_counted_out AFTER DELETE ON workflows BEGIN
  UPDATE workflow_counts SET n = n - 1 WHERE status = OLD.status;
END

CREATE TRIGGER workflows_counted_over AFTER UPDATE OF status ON workflows WHEN NEW.status <> OLD.status BEGIN
  UPDATE workflow_counts SET n = n - 1 WHERE status = OLD.status;
  UPDATE workflow_counts SET n = n + 1 WHERE status = NEW.status;
END

CREATE TABLE schedules (
  schedule_id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  enabled INTEGER NOT NULL DEFAULT 1,
  interval_seconds INTEGER,
  cron TEXT,
  timezone TEXT,
  next_run_at TEXT NOT NULL,
  last_run_at TEXT,
  last_task_id TEXT,
  overlap TEXT NOT NULL DEFAULT 'skip' CHECK (overlap IN ('skip', 'allow')),
  task_json TEXT NOT NULL,
  disabled_reason TEXT,
  created_by_json TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  CHECK ((interval_seconds IS NULL) <> (cron IS NULL))
) STRICT

CREATE INDEX schedules_due ON schedules (next_run_at) WHERE enabled = 1

-- Those that were changed by a clock that has been set back since.
CREATE INDEX schedules_changed ON schedules (updated_at) WHERE enabled = 1

-- What became of each due time; one row may cover a range of missed ones.
CREATE TABLE schedule_fates (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  schedule_id TEXT NOT NULL REFERENCES schedules (schedule_id) ON DELETE CASCADE,
  first_due_at TEXT NOT NULL,
  last_due_at TEXT NOT NULL,
  missed INTEGER NOT NULL DEFAULT 0,
  fate TEXT NOT NULL CHECK (fate IN ('fired', 'skipped_overlap', 'coalesced', 'refused')),
  task_id TEXT,
  reason TEXT,
  evaluated_at TEXT NOT NULL
) STRICT

CREATE INDEX schedule_fates_schedule ON schedule_fates (schedule_id, id)

CREATE INDEX schedule_fates_due ON schedule_fates (schedule_id, last_due_at)

CREATE TABLE sensor_events (
  sensor_event_id TEXT PRIMARY KEY NOT NULL,
  sensor_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  source_ref TEXT NOT NULL,
  dedupe_key TEXT NOT NULL UNIQUE,
  payload_json TEXT NOT NULL,
  observed_at TEXT NOT NULL,
  freshness_deadline TEXT,
  stale INTEGER NOT NULL DEFAULT 0,
  task_id TEXT,
  workflow_id INTEGER,
  created_at TEXT NOT NULL,
  UNIQUE (sensor_id, event_id)
) STRICT

CREATE INDEX sensor_events_created ON sensor_events (created_at, sensor_event_id)

-- What the backlogs that were seeded had in them, each task by a hash of what it is known by; it outlives the task.
CREATE TABLE backlog_keys (
  key_sha256 TEXT PRIMARY KEY NOT NULL,
  task_id TEXT NOT NULL,
  kind TEXT NOT NULL
) STRICT, WITHOUT ROWID

-- What holds work back: the dispatch pause, an adapter that cools down.
CREATE TABLE gates (
  gate_id TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('pause', 'cooldown')),
  adapter_id TEXT,
  reason TEXT,
  until_at TEXT,
  actor_json TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  -- When the dispatch pause was ended, by the actor: its row stays, so that this can be told.
  ended_at TEXT
) STRICT

-- Dispatcher processes. A row without ended_at whose lock is free belongs to one that died.
CREATE TABLE runners (
  runner_id TEXT PRIMARY KEY NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  -- What tells its process from every other one that has or had its pid; NULL where the kernel does not tell.
  process_mark TEXT,
  mode TEXT NOT NULL,
  lock_path TEXT NOT NULL,
  limits_json TEXT NOT NULL,
  started_at TEXT NOT NULL,
  -- Since when it claims nothing more and waits for what runs.
  draining_at TEXT,
  ended_at TEXT
) STRICT

CREATE INDEX runners_open ON runners (started_at) WHERE ended_at IS NULL

CREATE TABLE outbox (
  id TEXT PRIMARY KEY NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (task_id),
  attempt_id TEXT,
  message_json TEXT NOT NULL,
  -- Of the canonical JSON of the message: what a task has put out is not put out again.
  message_sha256 TEXT NOT NULL,
  created_at TEXT NOT NULL,
  acked_at TEXT,
  acked_by_json TEXT
) STRICT

CREATE INDEX outbox_unacked ON outbox (id) WHERE acked_at IS NULL

CREATE INDEX outbox_task ON outbox (task_id, message_sha256)

-- Tokens and cost, summed as attempts end.
CREATE TABLE usage (
  day TEXT NOT NULL,
  adapter_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  model TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  cost_usd REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (day, adapter_id, profile_id, model)
) STRICT

-- A budget's account in one window: what was spent, set aside by running attempts, and granted on top.
CREATE TABLE budgets (
  -- Empty where the window is a day; else the window is this task's.
  task_id TEXT NOT NULL DEFAULT '',
  window_start TEXT NOT NULL,
  budget_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  spent REAL NOT NULL DEFAULT 0,
  reserved REAL NOT NULL DEFAULT 0,
  granted REAL NOT NULL DEFAULT 0,
  exhausted_at TEXT,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (task_id, window_start, budget_id, subject)
) STRICT

CREATE INDEX budgets_of_tasks ON budgets (budget_id, window_start) WHERE task_id <> '' AND (reserved > 0 OR exhausted_at IS NOT NULL)

CREATE INDEX budgets_used_by_tasks ON budgets (budget_id, updated_at) WHERE task_id <> '' AND (spent > 0 OR reserved > 0 OR granted > 0)

CREATE TABLE questions (
  question_id TEXT PRIMARY KEY NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (task_id),
  attempt_id TEXT NOT NULL,
  text TEXT NOT NULL,
  choices_json TEXT NOT NULL,
  default_answer TEXT,
  asked_at TEXT NOT NULL,
  expires_at TEXT,
  -- When its time ran out. Without a default that may be taken it stays open.
  expired_at TEXT,
  answer TEXT,
  answered_at TEXT,
  answered_by_json TEXT,
  -- When it stopped being open: answered, or withdrawn by a cancel or a plain retry.
  closed_at TEXT,
  -- 1 while its answer belongs into the task's prompts: until the task is begun anew after its end.
  standing INTEGER NOT NULL DEFAULT 1
) STRICT

CREATE UNIQUE INDEX questions_open ON questions (task_id) WHERE closed_at IS NULL

CREATE INDEX questions_listed ON questions (question_id) WHERE closed_at IS NULL

CREATE INDEX questions_expiring ON questions (expires_at) WHERE closed_at IS NULL AND expired_at IS NULL AND expires_at IS NOT NULL

CREATE INDEX questions_task ON questions (task_id, question_id)

CREATE TABLE backups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at TEXT NOT NULL,
  verified_at TEXT,
  -- Of the one that this database was made from: since when it stands in its place. Evidence that is older and named
  -- here by nothing may be on record in the database that stood there before.
  in_place_since TEXT
) STRICT

-- Databases of the original runtime that were taken over, and how far their history is here.
CREATE TABLE adoptions (
  source_id TEXT PRIMARY KEY NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  last_event_id INTEGER NOT NULL,
  adopted_at TEXT NOT NULL
) STRICT

-- Rows that came from there with something that has no place here, word for word as they were.
CREATE TABLE adopted_rows (
  table_name TEXT NOT NULL,
  row_id TEXT NOT NULL,
  task_id TEXT,
  original_json TEXT NOT NULL,
  PRIMARY KEY (table_name, row_id)
) STRICT

CREATE INDEX adopted_rows_task ON adopted_rows (task_id) WHERE task_id IS NOT NULL

-- What came from there and was removed here since: it does not come back with the next adoption.
CREATE TABLE adopted_gone (
  table_name TEXT NOT NULL,
  row_id TEXT NOT NULL,
  PRIMARY KEY (table_name, row_id)
) STRICT, WITHOUT ROWID

CREATE TRIGGER adopted_tasks_gone AFTER DELETE ON tasks WHEN OLD.created_by_json ->> '$.surface' = 'adopt' BEGIN
  INSERT OR IGNORE INTO adopted_gone (table_name, row_id) VALUES ('tasks', OLD.task_id);
END

CREATE TRIGGER adopted_schedules_gone AFTER DELETE ON schedules WHEN OLD.created_by_json ->> '$.surface' = 'adopt' BEGIN
  INSERT OR IGNORE INTO adopted_gone (table_name, row_id) VALUES ('schedules', OLD.schedule_id);
END

-- Version 0 is the form of the original.
CREATE TRIGGER adopted_bundles_gone AFTER DELETE ON bundles WHEN OLD.bundle_version = 0 BEGIN
  INSERT OR IGNORE INTO adopted_gone (table_name, row_id) VALUES ('bundles', OLD.bundle_id);
END

CREATE TABLE schema_migrations (
  id INTEGER PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL
) STRICT
