import { Database } from "bun:sqlite"
import { afterAll, beforeEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import canonicalize from "canonicalize"
import { MIGRATIONS, migrate } from "../../layers/store/Migrations.ts"
import { check, type Evidence } from "./Checker.ts"

const folder = mkdtempSync(join(tmpdir(), "agent-runtime-checker-"))
const artifacts = join(folder, "artifacts")
const sound = join(folder, "sound.db")
const database = join(folder, "damaged.db")
const AT = "2026-01-02T03:04:05.006Z"
const ACTOR = '{"surface":"cli","name":"test"}'

const event = (
  db: Database,
  type: string,
  task: string,
  attempt: string | null = null,
  detail: object = {}
) =>
  db.run(
    "INSERT INTO run_events (event_type, task_id, attempt_id, actor_json, detail_json, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    [type, task, attempt, ACTOR, JSON.stringify(detail), AT]
  )

const addTask = (db: Database, id: string, status: string, counted: number, finishedAt: string | null) => {
  db.run(
    `INSERT INTO tasks (task_id, kind, source, priority, payload_json, max_attempts, status, attempt_count, created_at, updated_at,
      available_at, finished_at, lane, ready, created_by_json)
     VALUES (?, 'note', 'test', 5, '{}', 3, ?, ?, ?, ?, ?, ?, '[null,null,0]', ?, ?)`,
    [id, status, counted, AT, AT, AT, finishedAt, status === "pending" ? 1 : 0, ACTOR]
  )
  event(db, "task_enqueued", id)
}

const addAttempt = (db: Database, id: string, task: string, number: number, running = false) => {
  db.run(
    `INSERT INTO attempts (attempt_id, task_id, number, round, runner_id, host, status, started_at, ended_at, exit_status, retry_class, reason)
     VALUES (?, ?, ?, 1, 'h:1:t', 'h', ?, ?, ?, ?, ?, ?)`,
    running
      ? [id, task, number, "running", AT, null, null, null, null]
      : [id, task, number, "finished", AT, AT, "ok", "none", "done"]
  )
  event(db, "task_claimed", task, id)
  if (!running) event(db, "task_attempt_finished", task, id)
}

const addBundle = (db: Database, id: string, task: string, attempt: string) => {
  const content = { bundle_id: id, bundle_version: 1, prompt: { rendered_text: "do it" } }
  const { bundle_id: _, ...hashed } = content
  const hash = createHash("sha256")
    .update(canonicalize(hashed) ?? "")
    .digest("hex")
  const path = `bundles/2026-01-02/${id}.json`
  const promptPath = `bundles/2026-01-02/${id}.prompt.txt`
  mkdirSync(dirname(join(artifacts, path)), { recursive: true })
  writeFileSync(join(artifacts, path), `${canonicalize(content)}\n`)
  writeFileSync(join(artifacts, promptPath), "do it")
  db.run(
    `INSERT INTO bundles (bundle_id, task_id, attempt_id, bundle_hash, bundle_version, profile_id, adapter_id, adapter_mode,
      replay_grade, relative_path, prompt_relative_path, created_at) VALUES (?, ?, ?, ?, 1, 'p', 'a', 'script', 'inputs_frozen', ?, ?, ?)`,
    [id, task, attempt, hash, path, promptPath, AT]
  )
  db.run("UPDATE attempts SET bundle_id = ?, bundle_hash = ? WHERE attempt_id = ?", [id, hash, attempt])
}

/** A task that is done after two attempts, one that waits, and one that is at work. */
const fill = (db: Database) => {
  addTask(db, "done", "completed", 2, AT)
  addAttempt(db, "done-1", "done", 1)
  event(db, "task_retry_scheduled", "done", "done-1")
  addAttempt(db, "done-2", "done", 2)
  event(db, "task_finished", "done", "done-2", { status: "completed" })
  addBundle(db, "bundle", "done", "done-2")
  addTask(db, "waiting", "pending", 0, null)
  addTask(db, "working", "running", 1, null)
  addAttempt(db, "working-1", "working", 1, true)
}

const openDb = (file: string) => {
  const db = new Database(file)
  db.run("PRAGMA ignore_check_constraints = ON")
  db.run("PRAGMA foreign_keys = OFF")
  return db
}

// What the schema itself keeps from happening.
const dropGuards = (db: Database) => {
  for (const { name } of db
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    .all())
    db.run(`DROP TRIGGER ${name}`)
  db.run("DROP INDEX attempts_open")
}

const build = () => {
  const db = openDb(sound)
  migrate(db, MIGRATIONS, AT)
  fill(db)
  db.close()
}

build()
beforeEach(() => copyFileSync(sound, database))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const after = (damage: ReadonlyArray<string>, evidence: Partial<Evidence> = {}) => {
  const db = openDb(database)
  if (damage.length > 0) dropGuards(db)
  for (const statement of damage) db.run(statement)
  db.close()
  return check({ database, artifacts, ...evidence })
}

test("a sound database breaks no promise", () => {
  expect(after([])).toEqual([])
})

test("what clients were told is there", () => {
  const facts = [
    { told: "queued", taskId: "done" },
    { told: "ran", taskId: "done", attemptId: "done-1", status: "retryable_failure" },
    { told: "ran", taskId: "done", attemptId: "done-2", status: "completed" },
    { told: "event", id: 1, eventType: "task_enqueued", createdAt: AT }
  ] as const
  expect(after([], { facts })).toEqual([])
})

const damages: ReadonlyArray<readonly [what: string, damage: ReadonlyArray<string>, says: string]> = [
  [
    "a status that is none",
    ["UPDATE tasks SET status = 'parked' WHERE task_id = 'waiting'"],
    "task waiting has the status parked, which is none"
  ],
  [
    "a status without its event",
    ["UPDATE tasks SET status = 'blocked', ready = 0 WHERE task_id = 'waiting'"],
    "task waiting is blocked, its events left it pending"
  ],
  [
    "a lost event",
    ["DELETE FROM run_events WHERE event_type = 'task_enqueued' AND task_id = 'waiting'"],
    "task waiting is pending, its events left it nothing"
  ],
  [
    "an illegal move",
    ["UPDATE run_events SET event_type = 'task_retried' WHERE event_type = 'task_retry_scheduled'"],
    "(task_retried) moves task done from running to pending"
  ],
  [
    "a claim without a schedule",
    ["DELETE FROM run_events WHERE event_type = 'task_retry_scheduled'"],
    "(task_claimed) moves task done from running to running"
  ],
  [
    "a gap in the numbers",
    ["UPDATE attempts SET number = 3 WHERE attempt_id = 'done-2'"],
    "the attempts of task done are numbered 1, 3, not 1 to 2"
  ],
  [
    "two running attempts",
    ["UPDATE attempts SET status = 'running', ended_at = NULL WHERE task_id = 'done'"],
    "task done has 2 running attempts"
  ],
  [
    "a running task without an attempt",
    [
      "UPDATE attempts SET status = 'finished', ended_at = started_at, reason = 'x' WHERE attempt_id = 'working-1'"
    ],
    "task working is running with 0 running attempts"
  ],
  [
    "a running attempt of a task that is done",
    ["UPDATE attempts SET status = 'running', ended_at = NULL WHERE attempt_id = 'done-2'"],
    "task done is completed with 1 running attempts"
  ],
  [
    "a finished attempt without an end",
    ["UPDATE attempts SET ended_at = NULL WHERE attempt_id = 'done-1'"],
    "attempt done-1 is finished and has no ended_at"
  ],
  [
    "a running attempt with an end",
    [`UPDATE attempts SET ended_at = '${AT}' WHERE attempt_id = 'working-1'`],
    "attempt working-1 is running and has an end"
  ],
  [
    "a finished attempt without a reason",
    ["UPDATE attempts SET exit_status = NULL, reason = NULL WHERE attempt_id = 'done-1'"],
    "attempt done-1 ended with neither exit status nor reason"
  ],
  [
    "an attempt that was finished twice",
    [
      "INSERT INTO run_events (event_type, task_id, attempt_id, actor_json, detail_json, created_at) SELECT event_type, task_id, attempt_id, actor_json, detail_json, created_at FROM run_events WHERE event_type = 'task_attempt_finished' AND attempt_id = 'done-1'"
    ],
    "attempt done-1 is finished and was finished 2 times by the events"
  ],
  [
    "an attempt that was never claimed",
    ["DELETE FROM run_events WHERE event_type = 'task_claimed' AND attempt_id = 'working-1'"],
    "attempt working-1 was claimed 0 times by the events"
  ],
  [
    "a wrong count of attempts",
    ["UPDATE tasks SET attempt_count = 1 WHERE task_id = 'done'"],
    "task done counts 1 attempts and 0 taken back, its round has 2"
  ],
  [
    "an end without its time",
    ["UPDATE tasks SET finished_at = NULL WHERE task_id = 'done'"],
    "task done is completed and finished_at is not set"
  ],
  [
    "a counter that is off",
    ["UPDATE listed_counts SET n = 7 WHERE status = 'blocked'"],
    "task_counts says 7 of blocked, there are 0"
  ],
  [
    "a counter that is gone",
    ["DELETE FROM listed_counts WHERE status = 'operator_canceled'"],
    "task_counts says nothing of operator_canceled, there are 0"
  ],
  [
    "a counter of workflows that is off",
    ["UPDATE workflow_counts SET n = 7 WHERE status = 'stalled'"],
    "workflow_counts says 7 of stalled, there are 0"
  ],
  [
    "an attempt that no list shows",
    ["UPDATE attempts SET listed = 0 WHERE attempt_id = 'done-1'"],
    "attempt done-1 is in no list of attempts"
  ],
  [
    "an event that its task does not show",
    ["UPDATE event_marks SET id = 1000 WHERE mark = 'listed'"],
    "event 1 is not among those of its task"
  ],
  [
    "a bundle of another attempt",
    ["UPDATE bundles SET attempt_id = 'done-1'"],
    "bundle bundle and its attempt done-1 do not name each other"
  ],
  [
    "a bundle whose file is missing",
    ["UPDATE bundles SET relative_path = 'bundles/none.json'"],
    "bundle bundle names bundles/none.json, which is not there"
  ],
  ["a bundle with another hash", ["UPDATE bundles SET bundle_hash = 'abc'"], ", its row says abc"],
  [
    "events of a task that is not there",
    ["DELETE FROM tasks WHERE task_id = 'waiting'"],
    "events tell of task waiting, which is not there"
  ],
  [
    "an attempt of a task that is not there",
    ["DELETE FROM tasks WHERE task_id = 'working'"],
    "names a row of tasks that is not there"
  ],
  [
    "an event before its predecessor",
    ["UPDATE run_events SET created_at = '2025-01-01T00:00:00.000Z' WHERE id = 4"],
    "event 4 was created at 2025-01-01T00:00:00.000Z, its predecessor at 2026"
  ],
  [
    "a time of another form",
    ["UPDATE tasks SET updated_at = '2026-01-02 03:04:05' WHERE task_id = 'done'"],
    "updated_at is not a time in UTC"
  ],
  [
    "a JSON column that is cut short",
    ["UPDATE tasks SET payload_json = '{\"a\":' WHERE task_id = 'done'"],
    "payload_json is not JSON"
  ]
]

describe("the checker finds", () => {
  for (const [what, damage, says] of damages)
    test(what, () => expect(after(damage).join("\n")).toContain(says))

  test("a file that was cut off", () => {
    truncateSync(database, 3 * 4096)
    expect(check({ database, artifacts }).join("\n")).toContain("SQLite says of the file")
  })

  test("a damaged page", () => {
    const db = new Database(database)
    const page =
      db
        .query<{ rootpage: number }, []>(
          "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_tasks_1'"
        )
        .get()?.rootpage ?? 0
    const size = db.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 0
    db.close()
    const bytes = Buffer.from(readFileSync(database))
    bytes.fill(0xff, (page - 1) * size + 8, (page - 1) * size + 64)
    writeFileSync(database, bytes)
    expect(check({ database, artifacts }).join("\n")).toContain("SQLite says of the file")
  })

  test("a bundle whose file was changed", () => {
    const file = join(artifacts, "bundles/2026-01-02/bundle.json")
    const text = `{"bundle_id":"bundle","bundle_version":1,"prompt":{"rendered_text":"do something else"}}\n`
    const before = readFileSync(file)
    writeFileSync(file, text)
    expect(after([]).join("\n")).toContain("bundle bundle hashes to")
    writeFileSync(file, "{")
    expect(after([]).join("\n")).toContain("the file of bundle bundle is not JSON")
    writeFileSync(file, ` ${before}`)
    expect(after([]).join("\n")).toContain("is not canonical JSON")
    writeFileSync(file, before)
  })

  test("a lost acknowledged task", () => {
    const facts = [{ told: "queued", taskId: "gone" }] as const
    expect(after([], { facts })).toEqual(["task gone was acknowledged and is there 0 times"])
  })

  test("an acknowledged task without any database", () => {
    const facts = [{ told: "queued", taskId: "gone" }] as const
    expect(check({ database: join(folder, "none.db"), artifacts, facts })).toEqual([
      "1 facts were told and there is no database"
    ])
  })

  test("an outcome that was told and is another", () => {
    const facts = [
      { told: "ran", taskId: "done", attemptId: "done-2", status: "blocked" },
      { told: "ran", taskId: "working", attemptId: "working-1", status: "completed" }
    ] as const
    expect(after([], { facts })).toEqual([
      "attempt done-2 was reported as blocked, the events say completed",
      "attempt working-1 was reported as completed and is running"
    ])
  })

  test("an event that was shown and is another", () => {
    const facts = [{ told: "event", id: 2, eventType: "task_enqueued", createdAt: AT }] as const
    expect(after([], { facts })).toEqual(["event 2 was shown as task_enqueued and is task_claimed"])
  })

  test("work that goes on though nobody works", () => {
    expect(after([], { atRest: true })).toEqual(["attempt working-1 is still running though nobody works"])
  })

  test("a process that was left behind", async () => {
    const child = Bun.spawn(["sleep", "60"], { env: { AGENT_RUNTIME_ATTEMPT_ID: "done-1" } })
    try {
      expect(after([], { atRest: true })).toContain(`process ${child.pid} of attempt done-1 is still alive`)
    } finally {
      child.kill("SIGKILL")
      await child.exited
    }
  })

  test("runs that are not recorded, without a bundle, or overlap", () => {
    const seen = [
      { what: "start", taskId: "done", attemptId: "done-1" },
      { what: "start", taskId: "done", attemptId: "done-2" },
      { what: "end", taskId: "done", attemptId: "done-1" },
      { what: "overlap", taskId: "done", attemptId: "done-2" },
      { what: "start", taskId: "done", attemptId: "done-2" },
      { what: "start", taskId: "done", attemptId: "unknown" }
    ] as const
    expect(after([], { seen })).toEqual([
      "attempt done-1 of task done still worked after attempt done-2 had started",
      "attempt done-2 of task done started while an earlier one was alive",
      "attempt done-2 of task done was run twice",
      "attempt done-1 ran without a bundle",
      "attempt unknown of task done ran and is not recorded"
    ])
  })
})
