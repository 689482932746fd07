import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises"
import { Schema } from "effect"
import { check } from "../faults/Checker.ts"
import type { Place } from "../support/binary.ts"
import { claims, inPlace, queue, runOnce, saying, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

const Days = Schema.NullOr(Schema.Number)
const Pruned = Schema.Struct({
  ok: Schema.Boolean,
  dry_run: Schema.Boolean,
  retention: Schema.Struct({ completed_days: Days, event_days: Days, artifact_days: Days }),
  note: Schema.NullOr(Schema.String),
  tasks: Schema.Int,
  attempts: Schema.Int,
  events: Schema.Int,
  runners: Schema.Int,
  fates: Schema.Int,
  bundles: Schema.Int,
  evidence_folders: Schema.Int,
  bytes_freed: Schema.Int,
  worktrees_kept: Schema.Int,
  litter: Schema.Int,
  litter_left: Schema.Int,
  problems: Schema.Array(Schema.String)
})

const prune = async (place: Place, ...args: ReadonlyArray<string>) =>
  Schema.decodeUnknownSync(Pruned, { onExcessProperty: "error" })(await place.json(["prune", ...args]))

const database = (place: Place) => place.path("state", "runtime.db")

/** Moves everything that has a time so many days back, as if nobody had looked at it since. */
const age = (place: Place, days: number): void => {
  const db = new Database(database(place))
  db.run("PRAGMA busy_timeout = 5000")
  const back = (column: string) => `${column} = strftime('%Y-%m-%dT%H:%M:%fZ', ${column}, '-${days} days')`
  db.run(
    `UPDATE tasks SET ${["created_at", "updated_at", "available_at", "started_at", "finished_at"].map(back).join(", ")}`
  )
  db.run(`UPDATE attempts SET ${["started_at", "ended_at"].map(back).join(", ")}`)
  db.run(`UPDATE schema_migrations SET ${back("applied_at")}`)
  const trigger = db
    .query<{ sql: string }, []>("SELECT sql FROM sqlite_schema WHERE name = 'run_events_append_only'")
    .get()
  if (trigger === null) throw new Error("run_events may be changed by anybody")
  db.run("DROP TRIGGER run_events_append_only")
  db.run(`UPDATE run_events SET ${back("created_at")}`)
  db.run(trigger.sql)
  db.close()
}

const config = (retention: Readonly<Record<string, number>>) => ({ retention })

/** What breaks a promise, but that removed tasks stay in the history. */
const broken = (place: Place) =>
  check({ database: database(place), artifacts: place.path("state", "artifacts"), atRest: true }).filter(
    (one) => !/^events tell of task .* which is not there$/.test(one)
  )

test("without retention prune says so, and removes nothing but litter", () =>
  inPlace({}, async (place) => {
    const id = await queue(place)
    await runOnce(place)
    age(place, 1_000)
    const litter = place.path("state", "artifacts", "bundles", "2020-01-01")
    await mkdir(litter)
    await writeFile(`${litter}/gone.json`, "{}")
    const then = new Date(Date.now() - 999 * 86_400_000)
    await utimes(`${litter}/gone.json`, then, then)
    const counted = await prune(place, "--dry-run")
    expect(counted).toMatchObject({ ok: true, dry_run: true, tasks: 0, events: 0, litter: 1 })
    expect(counted.retention).toEqual({ completed_days: null, event_days: null, artifact_days: null })
    expect(counted.note).toContain("retention is not configured")
    expect(await prune(place)).toEqual({ ...counted, dry_run: false })
    expect((await story(place, id)).attempts).toHaveLength(1)
    expect(existsSync(`${litter}/gone.json`)).toBe(false)
    expect(broken(place)).toEqual([])
  }))

test("evidence that only the replaced database names outlives a restore, and is there when that is undone", () =>
  inPlace({}, async (place) => {
    await queue(place)
    await runOnce(place)
    const backup = place.path("backup.db")
    expect((await place.run(["backup", "--to", backup])).code).toBe(0)
    const id = await queue(place)
    await runOnce(place)
    const evidence = place.path("state", "artifacts", "adapter-runs", id)
    const { kept } = JSON.parse((await place.run(["restore", "--from", backup])).stdout)
    for (const name of [evidence, ...(await readdir(evidence)).map((one) => `${evidence}/${one}`)])
      await utimes(name, 0, 0)
    const counted = await prune(place, "--dry-run")
    expect(counted).toMatchObject({ ok: true, litter: 0, litter_left: 3 })
    expect(counted.note).toContain(`no record names what lies at ${evidence}/`)
    expect(await prune(place)).toEqual({ ...counted, dry_run: false })
    expect((await place.run(["restore", "--from", kept])).code).toBe(0)
    const { attempts } = await story(place, id)
    expect((await place.run(["attempt-log", attempts[0]!.attempt_id])).code).toBe(0)
    expect((await place.run(["bundle-show", attempts[0]!.attempt_id])).code).toBe(0)
    expect(await prune(place)).toMatchObject({ litter: 0, litter_left: 0 })
    expect(broken(place)).toEqual([])
  }))

test("old tasks go with their evidence; products, young and unfinished tasks stay, and all goes on", () =>
  inPlace(
    scripted(
      `mkdir -p "$AGENT_RUNTIME_ARTIFACT_DIR/out"; echo text > "$AGENT_RUNTIME_ARTIFACT_DIR/out/product.md"\n${saying(claims({ artifact_paths: ["out/product.md"] }))}`,
      {},
      config({ completedDays: 30 })
    ),
    async (place) => {
      const old = [await queue(place), await queue(place)]
      for (const _ of old) expect(await runOnce(place)).toMatchObject({ status: "completed" })
      age(place, 31)
      const young = await queue(place)
      expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: young })
      const waiting = await queue(place)
      const counted = await prune(place, "--dry-run")
      expect(counted).toMatchObject({
        tasks: 2,
        attempts: 2,
        bundles: 2,
        evidence_folders: 2,
        events: 0,
        note: null
      })
      expect(counted.bytes_freed).toBeGreaterThan(0)
      expect((await story(place, old[0]!)).task.status).toBe("completed")
      expect(await prune(place)).toEqual({ ...counted, dry_run: false })
      for (const id of old) expect((await place.run(["task-show", id])).code).toBe(1)
      expect((await readdir(place.path("state", "artifacts", "adapter-runs"))).sort()).toEqual([young])
      expect(existsSync(place.path("state", "artifacts", "out", "product.md"))).toBe(true)
      expect((await story(place, young)).task.status).toBe("completed")
      expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: waiting })
      expect(broken(place)).toEqual([])
      expect((await place.run(["healthcheck", "--deep"])).code).toBe(0)
      expect(await prune(place)).toMatchObject({ tasks: 0, evidence_folders: 0, bytes_freed: 0 })
    }
  ))

test("old evidence goes and its records stay; what it was is then told as gone", () =>
  inPlace({ config: config({ artifactDays: 7 }) }, async (place) => {
    const id = await queue(place)
    await runOnce(place)
    const { attempts } = await story(place, id)
    age(place, 8)
    expect(await prune(place)).toMatchObject({ tasks: 0, attempts: 0, bundles: 1, evidence_folders: 1 })
    const { attempts: after, task } = await story(place, id)
    expect(task.status).toBe("completed")
    expect(after[0]).toMatchObject({
      bundle_hash: attempts[0]!.bundle_hash,
      stdout_path: null,
      prompt_path: null,
      usage: attempts[0]!.usage
    })
    for (const command of [
      ["bundle-show", id],
      ["task-replay", after[0]!.attempt_id]
    ]) {
      const told = await place.run(command)
      expect({ command, code: told.code }).toEqual({ command, code: 1 })
      expect(told.stderr).not.toContain("internal fault")
    }
    expect((await place.run(["attempt-log", after[0]!.attempt_id])).code).toBeLessThan(2)
    expect(broken(place)).toEqual([])
  }))

test("old events go from the old end, and no id of an event is given again", () =>
  inPlace({ config: config({ eventDays: 7 }) }, async (place) => {
    await queue(place)
    await runOnce(place)
    const ids = async (): Promise<ReadonlyArray<number>> => {
      const { events } = JSON.parse((await place.run(["events", "--since", "0"])).stdout)
      return events.map((event: { id: number }) => event.id)
    }
    const before = await ids()
    age(place, 8)
    expect(await prune(place)).toMatchObject({ events: before.length, tasks: 0 })
    expect(await ids()).toEqual([])
    await queue(place)
    expect(await ids()).toEqual([before.at(-1)! + 1])
  }))

test("ten thousand old tasks are gone while others queue and run, and every count is right", () =>
  inPlace({ config: config({ completedDays: 30, eventDays: 30, artifactDays: 30 }) }, async (place) => {
    const first = await queue(place)
    await runOnce(place)
    const db = new Database(database(place))
    db.run("PRAGMA busy_timeout = 5000")
    db.run("BEGIN IMMEDIATE")
    const columns = (table: string) =>
      db
        .query<{ name: string }, []>(`SELECT name FROM pragma_table_info('${table}')`)
        .all()
        .map(({ name }) => name)
    const copies = (table: string, changed: Readonly<Record<string, string>>) => {
      const names = columns(table)
      const values = names.map((name) => changed[name] ?? name).join(", ")
      db.run(
        `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9999)
         INSERT INTO ${table} (${names.join(", ")}) SELECT ${values} FROM c, ${table} WHERE ${table}.task_id = '${first}'`
      )
    }
    const id = (prefix: string) => `'${prefix}' || c.n`
    copies("tasks", { task_id: id("t"), parent_task_id: "CASE WHEN c.n % 10 = 0 THEN 't' || (c.n - 1) END" })
    copies("attempts", { attempt_id: id("a"), task_id: id("t"), bundle_id: id("b") })
    copies("bundles", {
      bundle_id: id("b"),
      attempt_id: id("a"),
      task_id: id("t"),
      relative_path: "'bundles/2026-01-01/b' || c.n || '.json'"
    })
    db.run("COMMIT")
    db.close()
    age(place, 31)
    const running = place.start(["prune"])
    const worked: Array<string> = []
    while (running.exitCode === null) {
      worked.push(await queue(place))
      expect((await runOnce(place)).status).toBe("completed")
    }
    expect(worked.length).toBeGreaterThan(1)
    const pruned = Schema.decodeUnknownSync(Pruned)(JSON.parse(await new Response(running.stdout).text()))
    expect(pruned).toMatchObject({
      ok: true,
      tasks: 10_000,
      attempts: 10_000,
      bundles: 10_000,
      evidence_folders: 1
    })
    const { counts } = JSON.parse((await place.run(["status"])).stdout)
    expect(counts).toMatchObject({ completed: worked.length, queued: 0, running: 0 })
    expect(broken(place)).toEqual([])
    expect((await place.run(["healthcheck", "--deep"])).code).toBe(0)
  }))

const git = (dir: string, ...args: ReadonlyArray<string>) =>
  execFileSync(
    "git",
    [
      "-C",
      dir,
      "-c",
      "user.name=t",
      "-c",
      "user.email=t@example.org",
      "-c",
      "protocol.file.allow=always",
      ...args
    ],
    {
      env: { PATH: process.env.PATH, HOME: "/dev/null", GIT_CONFIG_GLOBAL: "/dev/null" },
      stdio: ["ignore", "pipe", "pipe"]
    }
  ).toString()

test("what an attempt did in a submodule of its worktree outlives retention, until an operator removes it", () =>
  inPlace(
    scripted(
      "git -c protocol.file.allow=always submodule --quiet update --init >&2; echo precious > library/new.txt; echo done",
      { workingDir: "repo", workspace: "worktree" },
      config({ completedDays: 30, artifactDays: 30 })
    ),
    async (place) => {
      for (const name of ["library", "repo"]) {
        await mkdir(place.path(name))
        git(place.path(name), "init", "-q")
        if (name === "repo") git(place.path(name), "submodule", "--quiet", "add", place.path("library"))
        git(place.path(name), "commit", "-q", "--allow-empty", "-m", "first")
      }
      const id = await queue(place)
      expect(await runOnce(place)).toMatchObject({ status: "completed" })
      const { attempt_id, issues } = (await story(place, id)).attempts[0]!
      expect(issues[0]).toStartWith(
        `workspace_kept: worktrees/${attempt_id} below the state folder is kept, with 1 `
      )
      age(place, 31)
      const path = place.path("state", "worktrees", attempt_id)
      const counted = await prune(place, "--dry-run")
      expect(counted).toMatchObject({ ok: true, tasks: 0, evidence_folders: 0, worktrees_kept: 1 })
      expect(counted.note).toContain(
        `${path}; when you have what you want of one, git -C PATH worktree remove`
      )
      expect(await prune(place)).toEqual({ ...counted, dry_run: false })
      expect(existsSync(`${path}/library/new.txt`)).toBe(true)
      git(path, "worktree", "remove", "--force", path)
      expect(await prune(place)).toMatchObject({
        tasks: 1,
        evidence_folders: 1,
        worktrees_kept: 0,
        note: null
      })
      expect(await readdir(place.path("state", "worktrees"))).toEqual([])
      expect(broken(place)).toEqual([])
    }
  ))
