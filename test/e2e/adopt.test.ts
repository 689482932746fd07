import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import { createHash } from "node:crypto"
import { copyFileSync } from "node:fs"
import { copyFile, mkdir, readdir, readFile } from "node:fs/promises"
import { Schema } from "effect"
import { check } from "../faults/Checker.ts"
import type { Place } from "../support/binary.ts"
import { EXAMPLE } from "../support/original.ts"
import { errorOf, inPlace, queue, runOnce, saying, scripted } from "./inPlace.ts"

setDefaultTimeout(60_000)

const Count = Schema.Struct({ found: Schema.Int, adopted: Schema.Int, present: Schema.Int })
const Adopted = Schema.Struct({
  ok: Schema.Literal(true),
  from: Schema.String,
  sha256: Schema.String,
  source_unchanged: Schema.Boolean,
  adopted: Schema.Struct({
    tasks: Count,
    attempts: Count,
    bundles: Count,
    events: Count,
    workflows: Count,
    schedules: Count,
    sensor_events: Count
  }),
  reclaimed: Schema.Int,
  set_aside: Schema.Int,
  remarks: Schema.Array(Schema.String)
})

const adopt = async (place: Place): Promise<typeof Adopted.Type> =>
  Schema.decodeUnknownSync(Adopted, { onExcessProperty: "error" })(
    await place.json(["adopt", "--from", "old/runtime.db"])
  )

const sha256 = async (file: string) =>
  createHash("sha256")
    .update(await readFile(file))
    .digest("hex")

/** A configuration whose profile and adapter are those that the example's tasks ask for. */
const settings = () => {
  const { config, files } = scripted(
    saying({ status: "completed", operator_summary: "Ran.", machine_status: "ok" })
  )
  const adapters = config?.adapters as Readonly<Record<string, object>>
  const old = Object.fromEntries(
    ["echo", "failing", "blockedecho", "missing"].map((id) => [id, adapters.local])
  )
  return {
    files: {
      ...files,
      "old/artifacts/keep": "",
      "lumen.json": JSON.stringify({ profile_id: "lumen", style: "codex-like", role: "A worker." })
    },
    config: {
      ...config,
      artifactDir: "old/artifacts",
      profiles: { plain: "plain.json", lumen: "lumen.json" },
      adapters: { ...adapters, ...old }
    }
  }
}

/** The columns that both databases have, of the rows that were not running. */
const columnsOf = (file: string): Readonly<Record<string, unknown>> => {
  const look = `${file}.look`
  copyFileSync(file, look)
  const copy = new Database(look)
  const old = copy.query("SELECT 1 FROM sqlite_schema WHERE name = 'task_attempts'").get() !== null
  const rows = (sql: string) => copy.query(sql).all()
  const found = {
    tasks:
      rows(`SELECT task_id, kind, source, subject, description, priority, payload_json, requested_profile,
      nullif(requested_adapter, '') AS adapter, status, created_at, updated_at, attempt_count, max_attempts, available_at,
      started_at, finished_at, outcome_json, last_error FROM tasks WHERE task_id <> '${LEFT_RUNNING}' ORDER BY task_id`),
    attempts: rows(`SELECT attempt_id, task_id, adapter_id, model, runner_id, bundle_id, started_at, ended_at,
      exit_status, retry_class FROM ${old ? "task_attempts" : "attempts"} WHERE task_id <> '${LEFT_RUNNING}'
      ORDER BY attempt_id`),
    bundles:
      rows(`SELECT bundle_id, task_id, attempt_id, bundle_hash, profile_id, adapter_id, model, replay_grade,
      relative_path, prompt_relative_path, created_at FROM bundles ORDER BY bundle_id`),
    events: rows(`SELECT id, event_type, task_id, attempt_id, detail_json, created_at FROM run_events
      WHERE id <= 105 ORDER BY id`),
    workflows:
      rows(`SELECT id, template, instance_key, current_state, coalesce(context_json, '{}') AS context,
      created_at, updated_at, completed_at FROM workflows ORDER BY id`),
    schedules: rows(`SELECT schedule_id, name, enabled, interval_seconds, next_run_at, last_run_at, task_json,
      created_at, updated_at FROM schedules ORDER BY schedule_id`),
    sensors:
      rows(`SELECT sensor_event_id, sensor_id, event_id, observed_at, source_ref, dedupe_key, payload_json,
      task_id, workflow_id, created_at FROM sensor_events ORDER BY sensor_event_id`)
  }
  copy.close()
  return found
}

const RAN = "d99f5f10-fa1d-4650-bbb1-59afd4ec59f1"
const RAN_ATTEMPT = "b272793e-7bdd-4ece-b893-f6457e734e82"
const LEFT_RUNNING = "feb75737-a255-4bd4-ac42-29c14d3415b9"

test("the database of the original is taken over whole, once, unchanged; then its tasks run here", () =>
  inPlace(settings(), async (place) => {
    await copyFile(EXAMPLE, place.path("old", "runtime.db"))
    await place.write(`old/artifacts/adapter-runs/${RAN}/${RAN_ATTEMPT}/stdout.log`, "said there\n")
    const before = await sha256(place.path("old", "runtime.db"))
    const first = await adopt(place)
    const found = {
      tasks: 23,
      attempts: 18,
      bundles: 16,
      events: 105,
      workflows: 4,
      schedules: 2,
      sensor_events: 2
    }
    expect<unknown>(first.adopted).toEqual(
      Object.fromEntries(
        Object.entries(found).map(([name, n]) => [name, { found: n, adopted: n, present: 0 }])
      )
    )
    expect(first).toMatchObject({
      sha256: before,
      source_unchanged: true,
      reclaimed: 1,
      set_aside: 0,
      remarks: []
    })
    const again = await adopt(place)
    expect<unknown>(again.adopted).toEqual(
      Object.fromEntries(
        Object.entries(found).map(([name, n]) => [name, { found: n, adopted: 0, present: n }])
      )
    )
    expect(again).toMatchObject({ reclaimed: 0, remarks: [] })
    expect(await sha256(place.path("old", "runtime.db"))).toBe(before)
    expect((await readdir(place.path("old"))).sort()).toEqual(["artifacts", "runtime.db"])

    const [there, here] = [place.path("old", "runtime.db"), place.path("state", "runtime.db")].map(columnsOf)
    for (const [table, rows] of Object.entries(there ?? {}))
      expect([table, here?.[table]]).toEqual([table, rows])

    const shown = (id: string) => place.json(["task-show", id]) as Promise<object>
    expect(await shown(RAN)).toMatchObject({
      task: { task_id: RAN, status: "completed", finished_at: "2026-11-22T12:46:23.870Z" }
    })
    expect((await place.run(["attempt-log", RAN_ATTEMPT])).stdout).toBe("said there\n")
    for (const command of ["bundle-show", "task-replay"]) {
      const lost = await place.run([command, RAN_ATTEMPT, "-o", "json"])
      expect([lost.code, errorOf(lost)]).toMatchObject([
        1,
        { code: "bundle_missing", error: expect.stringContaining("its attempt was adopted") }
      ])
    }
    expect(await shown(LEFT_RUNNING)).toMatchObject({
      task: { status: "retryable_failure", attempt_count: 1, finished_at: null },
      attempts: [{ status: "finished", reason: "boot_sweep" }]
    })

    expect(await runOnce(place)).toMatchObject({ ok: true, status: "completed" })
    const database = place.path("state", "runtime.db")
    const complaints = check({ database, artifacts: place.path("old", "artifacts"), atRest: true })
    // The files of the example's bundles are not here, and its running task has no claim in its history.
    const known = (one: string) => one.endsWith("which is not there") || /feb75737|c0ffee00/.test(one)
    expect(complaints.filter((one) => !known(one))).toEqual([])
    expect((await place.json(["healthcheck", "--deep"])) as object).toMatchObject({ store: { problems: [] } })
  }))

test("nothing is adopted beside a dispatcher, from no file, or from a database of this runtime", () =>
  inPlace(scripted("touch started; cat go"), async (place) => {
    await mkdir(place.path("old"))
    await copyFile(EXAMPLE, place.path("old", "runtime.db"))
    const refused = async (file: string) => {
      const told = await place.run(["adopt", "--from", file, "-o", "json"])
      return [told.code, errorOf(told).code]
    }
    expect(await refused("absent.db")).toEqual([2, "file_not_found"])
    expect(await refused("state/runtime.db")).toEqual([2, "not_original"])
    await place.write("bad.db", `SQLite format 3\0${"x".repeat(8000)}`)
    expect(await refused("bad.db")).toEqual([3, "store_unavailable"])
    Bun.spawnSync(["mkfifo", place.path("go")])
    await queue(place)
    const running = place.start(["run-once"])
    const go = Bun.spawn(["sh", "-c", `exec 3> go; echo; read line; echo >&3`], {
      cwd: place.folder,
      stdin: "pipe",
      stdout: "pipe"
    })
    // The pipe opens when the adapter has opened its end.
    await go.stdout.getReader().read()
    expect(await refused("old/runtime.db")).toEqual([1, "dispatch_locked"])
    go.stdin.write("\n")
    await go.stdin.end()
    await running.exited
    const db = new Database(place.path("state", "runtime.db"), { readonly: true })
    expect(db.query("SELECT count(*) AS n FROM tasks").get()).toEqual({ n: 1 })
    db.close()
  }))
