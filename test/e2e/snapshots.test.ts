import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdir, readdir, stat, symlink } from "node:fs/promises"
import { Schema } from "effect"
import { claims, errorOf, inPlace, queue, runOnce, saying, scripted } from "./inPlace.ts"
import { exactly, StatusReport, Time } from "./wire.ts"

setDefaultTimeout(60_000)

const text = Schema.String
const rows = Schema.Array(Schema.Record({ key: text, value: Schema.Unknown }))

/** What a snapshot's file holds. */
const Snapshot = Schema.Struct({
  captured_at: Time,
  label: text,
  runtime_name: text,
  status: StatusReport,
  workflow_counts: Schema.Struct({ active: Schema.Int, stalled: Schema.Int, completed: Schema.Int }),
  workflows: rows,
  active_workflows: rows,
  queued_tasks: rows,
  blocked_or_retryable_tasks: rows,
  recent_completed: rows,
  artifact_files: Schema.Array(text),
  truncated: rows
})
const Taken = Schema.Struct({ snapshot_path: text, snapshot: Snapshot })

const Figure = Schema.Struct({
  before: Schema.NullOr(Schema.Number),
  after: Schema.NullOr(Schema.Number),
  delta: Schema.NullOr(Schema.Number)
})
const File = Schema.Struct({
  name: text,
  path: text,
  captured_at: Schema.NullOr(Time),
  label: Schema.NullOr(text)
})

/** What `report` prints. */
const Report = Schema.Struct({
  before: File,
  after: File,
  completed_task_delta: Figure,
  queued_task_delta: Figure,
  new_artifacts_created: Schema.Array(text),
  workflow_counts: Schema.Struct({ total: Figure, active: Figure, stalled: Figure, completed: Figure }),
  workflow_state_changes: Schema.Struct({ new: rows, advanced: rows, completed: rows }),
  blocked_or_retryable_tasks: rows,
  ended_idle: Schema.NullOr(Schema.Boolean),
  partial: Schema.Array(text)
})

const working = scripted(saying(claims()))

test("two snapshots lie in files of their own, and a report tells what happened between them", () =>
  inPlace(working, async (place) => {
    await queue(place, { payload: { output_path: "wiki/a.md" } })
    const before = exactly(Taken, await place.json(["snapshot", "--label", "before"]))
    await runOnce(place)
    const create = ["workflow-create", "--template", "community-research", "--instance_key", "wiki"]
    await place.json(create)
    const after = exactly(Taken, await place.json(["snapshot"]))
    expect(before.snapshot_path).toMatch(/^snapshots\/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-before\.json$/)
    for (const { snapshot, snapshot_path } of [before, after]) {
      const file = place.path("state", "artifacts", snapshot_path)
      expect(exactly(Snapshot, await Bun.file(file).json())).toEqual(snapshot)
      expect((await stat(file)).mode & 0o777).toBe(0o600)
    }
    expect(before.snapshot).toMatchObject({
      label: "before",
      runtime_name: "test-runtime",
      status: { counts: { queued: 1 } },
      queued_tasks: [{ kind: "note", status: "pending" }],
      artifact_files: []
    })
    expect(after.snapshot).toMatchObject({
      active_workflows: [{ instance_key: "wiki" }],
      recent_completed: [{ kind: "note", status: "completed" }],
      artifact_files: ["wiki/a.md"]
    })

    const told = exactly(Report, await place.json(["report"]))
    expect(told).toMatchObject({
      before: { path: before.snapshot_path, label: "before" },
      after: { path: after.snapshot_path, label: "snapshot" },
      completed_task_delta: { before: 0, after: 1, delta: 1 },
      queued_task_delta: { before: 1, after: 1, delta: 0 },
      new_artifacts_created: ["wiki/a.md"],
      workflow_counts: { active: { before: 0, after: 1, delta: 1 } },
      workflow_state_changes: { new: [{ instance_key: "wiki" }], advanced: [], completed: [] },
      blocked_or_retryable_tasks: [],
      ended_idle: false
    })
    for (const way of [
      (path: string) => path,
      (path: string) => path.slice("snapshots/".length),
      (path: string) => `state/artifacts/${path}`,
      (path: string) => place.path("state", "artifacts", path)
    ])
      expect(
        await place.json([
          "report",
          "--before",
          way(before.snapshot_path),
          "--after",
          way(after.snapshot_path)
        ])
      ).toEqual(told)
    expect((await place.run(["report", "-o", "table"])).stdout).toContain("wiki/a.md")
  }))

test("a report reads nothing but snapshots of the folder, and says what it was given instead", () =>
  inPlace({}, async (place) => {
    const { snapshot_path } = exactly(Taken, await place.json(["snapshot", "--label", "a"]))
    await place.write("secret.json", '{"status":{"counts":{"completed":7}}}')
    const folder = place.path("state", "artifacts", "snapshots")
    await symlink(place.path("secret.json"), `${folder}/link.json`)
    await symlink(place.path("state", "artifacts", snapshot_path), `${folder}/inside.json`)
    await place.write("state/artifacts/snapshots/list.json", "[]")
    const refused = async (before: string) => {
      const told = await place.run(["report", "-o", "json", "--before", before, "--after", snapshot_path])
      expect(told.stdout).toBe("")
      return [told.code, errorOf(told).code]
    }
    for (const path of [
      "../../../secret.json",
      "snapshots/../../../secret.json",
      place.path("secret.json"),
      "/etc/passwd",
      "link",
      "inside.json"
    ])
      expect([path, ...(await refused(path))]).toEqual([path, 2, "snapshot_path_refused"])
    expect(await refused("secret.json")).toEqual([1, "snapshot_not_found"])
    expect(await refused("list")).toEqual([1, "snapshot_unreadable"])
    expect((await place.run(["report", "--before", "a"])).code).toBe(2)
  }))

test("snapshots of the original runtime are compared as far as they go", () =>
  inPlace({}, async (place) => {
    await place.write("state/artifacts/snapshots/baseline.json", '{"captured_at":"2026-01-01T00:00:00Z"}')
    const { snapshot_path } = exactly(Taken, await place.json(["snapshot"]))
    const args = ["report", "--before", "baseline.json", "--after", snapshot_path]
    expect(exactly(Report, await place.json(args))).toMatchObject({
      before: { name: "baseline.json", captured_at: "2026-01-01T00:00:00.000Z", label: null },
      completed_task_delta: { before: null, after: 0, delta: null },
      ended_idle: true
    })
  }))

test("a snapshot of a bad label is refused before anything is written, and a report needs two", () =>
  inPlace({}, async (place) => {
    for (const label of ["../../x", "a/b", "", "a b"]) {
      const told = await place.run(["snapshot", "--label", label])
      expect([label, told.code, told.stdout]).toEqual([label, 2, ""])
    }
    await mkdir(place.path("state", "artifacts", "snapshots"), { recursive: true })
    expect(await readdir(place.path("state", "artifacts", "snapshots"))).toEqual([])
    const told = await place.run(["report", "-o", "json"])
    expect([told.code, errorOf(told).code]).toEqual([1, "snapshots_too_few"])
  }))

test("of very many tasks and files a snapshot lists some, counts all and says so", () =>
  inPlace({}, async (place) => {
    const tasks = Array.from({ length: 600 }, (_, n) => ({
      kind: "note",
      source: "many",
      subject: `task ${n}`,
      payload: {}
    }))
    await place.json(["seed-backlog", "--file", "-"], { stdin: JSON.stringify({ tasks }) })
    await mkdir(place.path("state", "artifacts", "many"), { recursive: true })
    await Bun.$`cd ${place.path("state", "artifacts", "many")} && seq 10001 | xargs touch`.quiet()
    const { snapshot } = exactly(Taken, await place.json(["snapshot"]))
    expect(snapshot.queued_tasks).toHaveLength(500)
    expect(snapshot.artifact_files).toHaveLength(10_000)
    expect(snapshot.status.counts.queued).toBe(600)
    expect(snapshot.truncated).toEqual([
      { list: "queued_tasks", shown: 500, total: 600 },
      { list: "artifact_files", shown: 10_000, total: 10_001 }
    ])
  }))
