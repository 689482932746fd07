import { Database } from "bun:sqlite"
import { queue } from "../e2e/inPlace.ts"
import type { Place, PlaceOptions } from "../support/binary.ts"
import { type Play, standIn } from "./plays.ts"
import { type Server, startServer } from "./stage.ts"

const CLAUDE: ReadonlyArray<Play> = [
  {
    when: "pull request 412",
    steps: [
      ["Bash", "gh pr view 412 --json title,body,files"],
      ["Read", "src/dispatch/Backoff.ts"],
      ["Read", "CHANGELOG.md"],
      ["Write", "reports/pr-412.md"]
    ],
    outcome: {
      status: "completed",
      operator_summary: "Retries wait longer after rate limits; nothing to change on the hosts.",
      artifact_paths: ["reports/pr-412.md"]
    },
    tokens: [48_210, 1_930],
    usd: 0.174,
    writes: { "reports/pr-412.md": "# PR 412 for operators\n\nRetries after rate limits wait longer.\n" }
  },
  {
    when: "TLS certificate",
    steps: [
      ["Read", "hosts/forge.md"],
      ["Bash", "lego --dns hetzner --domains forge.lan renew"]
    ],
    outcome: {
      status: "blocked",
      operator_summary:
        "The DNS provider's key is missing (FORGE_DNS_KEY). Add it to claude-main.env, then retry.",
      machine_status: "blocked"
    },
    tokens: [12_400, 610],
    usd: 0.046
  },
  {
    when: "release goes to the fleet",
    steps: [["Bash", "curl -s localhost:4314/api/heartbeat"]],
    outcome: {
      status: "blocked",
      operator_summary: "Both releases pass their checks.",
      machine_status: "blocked",
      question: { text: "Which release goes to the fleet?", choices: ["0.9.2", "0.9.3"], default: "0.9.2" }
    },
    tokens: [8_120, 240],
    usd: 0.028
  },
  {
    when: "Plan: Halve the nightly bill",
    steps: [["Read", "reports/usage.md"]],
    outcome: { status: "completed", operator_summary: "Three changes, cheapest first." },
    tokens: [21_000, 1_100],
    usd: 0.08
  }
]

const CODEX: ReadonlyArray<Play> = [
  {
    when: "nightly export",
    steps: [
      ["shell", "git log --oneline -20 -- src/export"],
      ["shell", "rg -n 'ORDER BY' src/export"],
      ["shell", "sqlite3 export.db 'EXPLAIN QUERY PLAN SELECT …'"],
      ["shell", "hyperfine --runs 5 'npm run export'"],
      ["shell", "rg -n 'for await' src/export/write.ts"],
      ["shell", "npm test -- test/export"]
    ]
  },
  {
    when: "flaky test",
    steps: [
      ["shell", "npm test -- test/queue --repeat 200"],
      ["shell", "git bisect run ./again.sh"]
    ],
    outcome: {
      status: "completed",
      operator_summary: "The test read the clock twice; it takes one reading now.",
      file_changes: []
    },
    tokens: [88_300, 4_120]
  },
  {
    when: "weekly report",
    steps: [["shell", "sqlite3 state/runtime.db 'SELECT count(*) FROM tasks'"]],
    outcome: {
      status: "completed",
      operator_summary: "The report is written.",
      artifact_paths: ["reports/week-17.md"]
    },
    tokens: [15_040, 890]
  }
]

const SCRIPT = `#!/bin/sh
case "$AGENT_RUNTIME_TASK_PAYLOAD_JSON" in
  *'"phase":"execute"'*) echo "step 1 of 3: keep the cache between runs"; exec sleep 600 ;;
  *index*) i=1180; while [ $i -lt 8912 ]; do i=$((i+20)); echo "indexed $i of 8912 pages"; sleep 0.5; done ;;
  *mirror*) echo "connect to mirror.lan:443: timed out" >&2; exit 1 ;;
  *restore*) echo "backup of 03:00 restored into a scratch folder"; echo "row counts differ: events 41022 and 41019" >&2; exit 7 ;;
  *) echo "all is well" ;;
esac
`

/** The configuration and the stand-ins of a place in which much goes on. */
export const showroom: PlaceOptions = {
  config: {
    runtimeName: "lumen",
    runtimePolicy: "Change nothing on another host without an operator's answer.",
    dispatch: { concurrency: 4 },
    defaultAdapter: "local",
    adapters: {
      "claude-main": {
        mode: "agent-cli",
        driver: "claude-code",
        command: "./claude-code.sh",
        model: "claude-sonnet-4-5",
        workingDir: ".",
        workspace: "shared"
      },
      codex: {
        mode: "agent-cli",
        driver: "codex",
        command: "./codex.sh",
        model: "gpt-5-codex",
        workingDir: ".",
        workspace: "shared"
      },
      local: { mode: "script", command: "./run.sh", timeoutMs: 1_800_000, workspace: "shared" }
    },
    budgets: [
      { id: "claude-a-day", per: "adapter", match: "claude-main", window: "day", usd: 5 },
      { id: "attempts-a-day", per: "all", window: "day", attempts: 400 }
    ],
    skillDirs: ["skills"]
  },
  files: {
    "run.sh": SCRIPT,
    ...standIn("claude-code", CLAUDE),
    ...standIn("codex", CODEX),
    "skills/mend-pump/SKILL.md": "# How"
  }
}

interface Wanted {
  readonly subject: string
  readonly kind?: string
  readonly message?: string
  readonly adapter?: string
  readonly priority?: number
  readonly attempts?: number
  readonly required?: ReadonlyArray<string>
  /** When it was queued, in minutes before now. */
  readonly ago?: number
}

const PAST: ReadonlyArray<Wanted> = [
  { subject: "Look after the disks", kind: "heartbeat", ago: 1_150 },
  {
    subject: "Mend the flaky test of the queue",
    message: "Find the flaky test and mend it.",
    adapter: "codex",
    ago: 760
  },
  { subject: "Prove that last night's backup restores", message: "restore", attempts: 1, ago: 415 },
  { subject: "Look after the disks", kind: "heartbeat", ago: 240 },
  { subject: "Renew the TLS certificate of forge.lan", adapter: "claude-main", ago: 95 },
  {
    subject: "Write the weekly report",
    adapter: "codex",
    required: ["reports/week-17.md"],
    ago: 62
  },
  {
    subject: "Summarize pull request 412 for operators",
    kind: "github-story",
    adapter: "claude-main",
    ago: 38
  },
  { subject: "Say which release goes to the fleet", adapter: "claude-main", ago: 21 },
  { subject: "Look after the disks", kind: "heartbeat", ago: 9 }
]

const PRESENT: ReadonlyArray<Wanted> = [
  { subject: "Find out why the nightly export is slow", adapter: "codex", priority: 8 },
  { subject: "Index the handbook anew", message: "index", priority: 6 },
  { subject: "Mirror the package index", message: "mirror", priority: 4 }
]

const intentOf = ({ adapter, attempts, kind = "note", message, priority, required, subject }: Wanted) => ({
  kind,
  source: kind === "heartbeat" ? "schedule:look-after" : kind === "github-story" ? "github" : "operator",
  subject,
  payload: {
    message: message ?? subject,
    ...(required === undefined ? {} : { required_artifacts: required })
  },
  ...(priority === undefined ? {} : { priority }),
  ...(attempts === undefined ? {} : { max_attempts: attempts }),
  ...(adapter === undefined ? {} : { requested_adapter: adapter })
})

const TIMES: Readonly<Record<string, ReadonlyArray<string>>> = {
  tasks: ["created_at", "updated_at", "available_at", "started_at", "finished_at", "round_started_at"],
  attempts: ["started_at", "ended_at"],
  run_events: ["created_at"]
}

/** Makes a task's history so much older than it is, and each run a little longer than a stand-in takes. */
const aged = (db: Database, id: string, minutes: number, tookMs: number): void => {
  for (const [table, columns] of Object.entries(TIMES))
    for (const column of columns) {
      const isEnd = ["ended_at", "finished_at", "updated_at"].includes(column)
      const later = isEnd ? tookMs : 0
      db.run(
        `UPDATE ${table} SET ${column} = strftime('%Y-%m-%dT%H:%M:%fZ', ${column}, ? || ' minutes', ? || ' seconds')
         WHERE task_id = ? AND ${column} IS NOT NULL`,
        [-minutes, later / 1_000, id]
      )
    }
  db.run(
    `UPDATE run_events SET created_at = strftime('%Y-%m-%dT%H:%M:%fZ', created_at, ? || ' seconds')
     WHERE task_id = ? AND event_type IN ('task_attempt_finished', 'task_finished', 'question_asked')`,
    [tookMs / 1_000, id]
  )
}

const rewritten = (place: Place, change: (db: Database) => void): void => {
  const db = new Database(place.path("state", "runtime.db"))
  db.run("PRAGMA busy_timeout = 5000")
  const { sql } = db
    .query<{ sql: string }, []>("SELECT sql FROM sqlite_schema WHERE name = 'run_events_append_only'")
    .get() ?? { sql: "" }
  db.run("DROP TRIGGER run_events_append_only")
  change(db)
  db.run(sql)
  db.close()
}

/** Waits until each of these tasks stands where it is wanted. */
const settled = async (
  url: string,
  ids: ReadonlyArray<string>,
  statuses: ReadonlyArray<string>
): Promise<void> => {
  for (const id of ids)
    for (;;) {
      const found = (await (await fetch(`${url}/api/tasks/${id}`)).json()) as {
        readonly task: { readonly status: string }
      }
      if (statuses.includes(found.task.status)) break
      await Bun.sleep(50)
    }
}

const post = async (url: string, path: string, body: unknown): Promise<void> => {
  const told = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  if (!told.ok) throw new Error(`${path} answered ${told.status}: ${await told.text()}`)
}

const schedule = (name: string, timing: Readonly<Record<string, unknown>>, enabled = true) => ({
  name,
  ...timing,
  enabled,
  task: { kind: "heartbeat", source: `schedule:${name}`, subject: name, payload: {} }
})

/** What became of the last due times of a schedule; its tasks stand for the last of those that fired. */
const remember = (
  db: Database,
  name: string,
  everyMinutes: number,
  fates: string,
  tasks: ReadonlyArray<string>
) => {
  const words: Readonly<Record<string, string>> = { f: "fired", s: "skipped_overlap", c: "coalesced" }
  const fired = [...fates].filter((one) => one === "f").length
  let left = fired
  for (const [at, one] of [...fates].entries()) {
    const task = one === "f" ? tasks[tasks.length - left--] : undefined
    const due = new Date(Date.now() - (fates.length - at) * everyMinutes * 60_000).toISOString()
    db.run(
      `INSERT INTO schedule_fates (schedule_id, first_due_at, last_due_at, missed, fate, task_id, evaluated_at)
       SELECT schedule_id, ?, ?, ?, ?, ?, ? FROM schedules WHERE name = ?`,
      [due, due, one === "c" ? 3 : 0, words[one] ?? "fired", task ?? null, due, name]
    )
  }
}

/**
 * Fills a place that is made of `showroom`: a past of a day, work that runs, waits and needs somebody. Answers the
 * server, which still dispatches, and the ids of the tasks by their subjects.
 */
export const furnish = async (
  place: Place
): Promise<{ readonly server: Server; readonly ids: ReadonlyMap<string, string> }> => {
  const ids = new Map<string, string>()
  let server = await startServer(place, "up")
  await post(server.url, "/api/schedules", schedule("look-after", { interval_seconds: 1_800 }))
  await post(
    server.url,
    "/api/schedules",
    schedule("morning-look", { cron: "30 8 * * *", timezone: "Europe/Zurich" })
  )
  await post(server.url, "/api/schedules", schedule("weekly-sweep", { cron: "0 4 * * 1" }, false))
  const past: Array<readonly [id: string, wanted: Wanted]> = []
  for (const wanted of PAST) {
    const id = await queue(place, intentOf(wanted))
    ids.set(wanted.subject, id)
    past.push([id, wanted])
  }
  await settled(
    server.url,
    past.map(([id]) => id),
    ["completed", "blocked"]
  )
  await post(server.url, "/api/snapshots", { label: "evening" })
  await server.stop()
  rewritten(place, (db) => {
    for (const [at, [id, { adapter, ago = 0 }]] of past.entries())
      aged(db, id, ago, adapter === undefined ? 1_400 + 260 * at : 61_000 + 23_700 * at)
    const looks = past.filter(([, { kind }]) => kind === "heartbeat").map(([id]) => id)
    remember(db, "look-after", 30, "ffffffsffffffffcfffffffffff", looks)
    remember(db, "morning-look", 1_440, "fffffff", [])
  })
  server = await startServer(place, "up")
  for (const wanted of PRESENT) ids.set(wanted.subject, await queue(place, intentOf(wanted)))
  await post(server.url, "/api/workflows", {
    template: "goal-loop",
    instance_key: "halve-the-nightly-bill",
    context: { objective: "Halve the nightly bill", summary: "Halve the nightly bill" }
  })
  await post(server.url, "/api/workflows", {
    template: "community-research",
    instance_key: "wiki-of-the-week"
  })
  await queue(place, {
    ...intentOf({ subject: "Send the digest of the week" }),
    schedule: { delay_minutes: 90 }
  })
  for (const [n, what] of ["CPU back to normal", "certificate expires in 12 days"].entries())
    await post(server.url, "/api/sensors/events", {
      sensor_id: n === 0 ? "load" : "tls",
      event_id: `2026-04-29-${n}`,
      source_ref: n === 0 ? "host:forge" : "host:forge:443",
      dedupe_key: what,
      payload: { what }
    })
  await post(server.url, "/api/snapshots", { label: "morning" })
  const present = PRESENT.map(({ subject }) => ids.get(subject) ?? "")
  await settled(server.url, present, ["running", "retryable_failure"])
  return { server, ids }
}
