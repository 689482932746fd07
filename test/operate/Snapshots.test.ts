import { describe, expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import { ArtifactFailed, ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { WorkflowId } from "../../src/domain/Ids.ts"
import { JsonObject } from "../../src/domain/Json.ts"
import { now } from "../../src/domain/Time.ts"
import { openNow } from "../../src/intake/Workflow.ts"
import { create, latestReport, list, newestReport, report, show } from "../../src/operate/Snapshots.ts"
import { Store } from "../../src/store/Store.ts"
import { answer, DOOR, failing, queue, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"

const usual = { adapters: { local: yields(answer()) } }
const actor = DOOR.actor

const taken = (label?: string) => create.run({ label: Option.fromNullable(label) }, actor)
const later = TestClock.adjust("1 minute")

const put = (path: string, text: string) => Effect.flatMap(MemoryFiles, (files) => files.put(path, text))

const parsed = Schema.decodeUnknownSync(Schema.parseJson(JsonObject))

/** What an operation refuses, by its code. */
const codeOf = <A, R>(asked: Effect.Effect<A, unknown, R>) =>
  Effect.map(Effect.flip(asked), (error) =>
    typeof error === "object" && error !== null && "code" in error ? error.code : error
  )

describe("a snapshot", () => {
  it.effect("holds the state, workflows, tasks and artifacts of now in a file of its own", () =>
    Effect.gen(function* () {
      const artifacts = yield* ArtifactStore
      yield* openNow(
        { template: "community-research", instanceKey: "wiki", state: Option.none(), context: {} },
        actor
      )
      yield* queue({ subject: "waits" })
      yield* put("wiki/a.md", "a")
      yield* put("bundles/2026-04-29/b.json", "{}")
      const { snapshot, snapshotPath } = yield* taken("first")
      expect(snapshotPath).toBe("snapshots/1970-01-01T00-00-00-000Z-first.json")
      const text = Option.getOrThrow(yield* artifacts.read(snapshotPath, 1e6))
      expect(text).toEndWith("}\n")
      const told = yield* Schema.encode(create.output)({ snapshot, snapshotPath })
      expect(parsed(text)).toEqual(told.snapshot)
      expect(told.snapshot).toMatchObject({
        captured_at: "1970-01-01T00:00:00.000Z",
        label: "first",
        runtime_name: "test",
        status: { runtime_name: "test", counts: { queued: 2 }, recent: [{}, {}] },
        workflows: [{ instance_key: "wiki", status: "active" }],
        active_workflows: [{ instance_key: "wiki" }],
        queued_tasks: [{ status: "pending" }, { status: "pending" }],
        blocked_or_retryable_tasks: [],
        recent_completed: [],
        artifact_files: ["wiki/a.md"],
        truncated: []
      })
      const rows = [...told.snapshot.workflows, ...told.snapshot.queued_tasks]
      expect(rows.flatMap(Object.keys)).not.toContain("context")
      expect(rows.flatMap(Object.keys)).not.toContain("payload")
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("names the last 15 tasks that were completed, the last one first", () =>
    Effect.gen(function* () {
      const early = yield* queue({ priority: 0 })
      const ids: Array<string> = []
      for (let n = 0; n < 16; n++) {
        ids.unshift(yield* queue())
        yield* TestClock.adjust("1 second")
        yield* runOnce
      }
      yield* TestClock.adjust("1 second")
      yield* runOnce
      const { snapshot } = yield* taken()
      expect(snapshot.recentCompleted.map((one) => String(one.taskId))).toEqual([early, ...ids.slice(0, 14)])
      expect(snapshot.recentCompleted[0]?.operatorSummary).toEqual(Option.some("done"))
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("names those that are blocked or wait for another attempt", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* runOnce
      const { snapshot } = yield* taken()
      expect(snapshot.blockedOrRetryableTasks).toMatchObject([{ taskId: id, status: "retryable_failure" }])
      expect(snapshot.queuedTasks).toEqual([])
    }).pipe(Effect.provide(world({ adapters: { local: yields(failing) } })))
  )

  it.effect("counts all and lists no more than a bound, with a mark", () =>
    Effect.gen(function* () {
      const store = yield* Store
      const artifacts = yield* ArtifactStore
      const full = {
        ...artifacts,
        files: () => Effect.succeed({ paths: ["a.md"], total: Option.some(100_000) })
      }
      for (let n = 0; n < 501; n++) yield* queue()
      const { snapshot } = yield* taken().pipe(Effect.provideService(ArtifactStore, full))
      expect(snapshot.queuedTasks).toHaveLength(500)
      expect(snapshot.status.counts).toMatchObject({ queued: 501 })
      expect(snapshot.truncated).toEqual([
        { list: "queued_tasks", shown: 500, total: Option.some(501) },
        { list: "artifact_files", shown: 1, total: Option.some(100_000) }
      ])
      const { workflow } = yield* openNow(
        { template: "community-research", instanceKey: "wiki", state: Option.none(), context: {} },
        actor
      )
      // More and more of them, each page as full as it was asked for.
      const endless = ({
        after,
        limit
      }: {
        readonly after: Option.Option<string>
        readonly limit: number
      }) => {
        const from = Number(Option.getOrElse(after, () => "0"))
        const workflows = Array.from({ length: limit }, (_, n) => ({
          ...workflow,
          id: WorkflowId.make(from + n + 1)
        }))
        return Effect.succeedSome({ workflows, next: Option.some(String(from + limit)) })
      }
      const counts = Effect.succeed({ active: 12_000, stalled: 1, completed: 0 })
      const crowded = { ...store, workflows: { ...store.workflows, list: endless, counts } }
      yield* later
      const next = yield* taken().pipe(Effect.provideService(Store, crowded))
      expect(next.snapshot.workflows).toHaveLength(10_000)
      expect(next.snapshot.workflowCounts).toEqual({ active: 12_000, stalled: 1, completed: 0 })
      expect(next.snapshot.truncated.slice(0, 2)).toEqual([
        { list: "workflows", shown: 10_000, total: Option.some(12_001) },
        { list: "active_workflows", shown: 10_000, total: Option.some(12_000) }
      ])
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("is refused with a label that no file's name should have", () =>
    Effect.gen(function* () {
      for (const label of ["", "../a", "a/b", ".hidden", "a b"]) {
        const error = yield* Effect.flip(taken(label))
        expect([label, error._tag]).toEqual([label, "Invalid"])
        expect(error.message).toStartWith("label: found ")
      }
      expect(yield* list.run({}, actor)).toEqual({ snapshots: [] })
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("is never written over another one", () =>
    Effect.gen(function* () {
      yield* taken("a")
      expect(yield* codeOf(taken("a"))).toBe("snapshot_exists")
      yield* taken("b")
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("says what is wrong with the disk when it cannot be written", () =>
    Effect.gen(function* () {
      const artifacts = yield* ArtifactStore
      const full = {
        ...artifacts,
        write: (path: string) => Effect.fail(new ArtifactFailed({ path, reason: "ENOSPC" }))
      }
      const error = yield* Effect.flip(taken().pipe(Effect.provideService(ArtifactStore, full)))
      expect(error).toMatchObject({ _tag: "Refusal", code: "snapshots_unusable", exitCode: 1 })
      expect(error.message).toContain("ENOSPC")
    }).pipe(Effect.provide(world(usual)))
  )
})

describe("the list of snapshots", () => {
  it.effect("names the newest first, and last what has no time in its name", () =>
    Effect.gen(function* () {
      yield* put("snapshots/zebra.json", '{"queued_tasks":[]}')
      yield* put("snapshots/notes.txt", "")
      yield* taken("a")
      yield* later
      yield* taken()
      const told = yield* Schema.encode(list.output)(yield* list.run({}, actor))
      expect(told.snapshots).toEqual([
        {
          name: "1970-01-01T00-01-00-000Z-snapshot.json",
          path: "snapshots/1970-01-01T00-01-00-000Z-snapshot.json",
          captured_at: "1970-01-01T00:01:00.000Z",
          label: "snapshot"
        },
        {
          name: "1970-01-01T00-00-00-000Z-a.json",
          path: "snapshots/1970-01-01T00-00-00-000Z-a.json",
          captured_at: "1970-01-01T00:00:00.000Z",
          label: "a"
        },
        { name: "zebra.json", path: "snapshots/zebra.json", captured_at: null, label: null }
      ])
    }).pipe(Effect.provide(world(usual)))
  )
})

/** What lies in the folder of snapshots and is none. */
const NO_SNAPSHOTS: ReadonlyArray<readonly [name: string, text: string]> = [
  ["empty", "{}"],
  ["other", '{"name":"notes","status":"fine","workflows":3}'],
  ["broken", '{"captured_at":"2026-04-29T07:00:00Z"'],
  ["list", "[]"],
  ["long", JSON.stringify({ name: "n".repeat(10_000), status: {} })]
]

describe("a file that is no snapshot", () => {
  const strewn = Effect.forEach(NO_SNAPSHOTS, ([name, text]) =>
    put(`snapshots/2036-04-29T07-00-00-000Z-${name}.json`, text)
  )

  it.effect("is not in the list, and not one of the two newest", () =>
    Effect.gen(function* () {
      yield* strewn
      const first = yield* taken("a")
      const few = yield* Effect.flip(newestReport.run({}, actor))
      expect(few).toMatchObject({
        code: "snapshots_too_few",
        message: expect.stringContaining("2036-04-29T07-00-00-000Z-empty.json")
      })
      yield* later
      const second = yield* taken("b")
      const { snapshots } = yield* list.run({}, actor)
      expect(snapshots.map(({ path }) => path)).toEqual([second.snapshotPath, first.snapshotPath])
      const told = yield* newestReport.run({}, actor)
      expect([told.before.path, told.after.path]).toEqual([first.snapshotPath, second.snapshotPath])
      expect(yield* latestReport.run({}, actor)).toEqual({ report: Option.some(told) })
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("is not compared: whoever names it is told what it is", () =>
    Effect.gen(function* () {
      yield* strewn
      const { snapshotPath } = yield* taken("a")
      for (const [name] of NO_SNAPSHOTS) {
        const path = `2036-04-29T07-00-00-000Z-${name}`
        for (const asked of [
          show.run({ path }, actor),
          report.run({ before: path, after: snapshotPath }, actor),
          report.run({ before: snapshotPath, after: path }, actor)
        ])
          expect([name, yield* codeOf<unknown, Effect.Effect.Context<typeof asked>>(asked)]).toEqual([
            name,
            "snapshot_unreadable"
          ])
      }
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("is not one of many keys: a long one is listed, whoever made it and however it begins", () =>
    Effect.gen(function* () {
      const files = Array.from({ length: 1_000 }, (_, n) => `wiki/${n}.md`)
      yield* put("snapshots/theirs.json", JSON.stringify({ maker: "m".repeat(9_000), artifact_files: files }))
      yield* put("snapshots/ours.json", JSON.stringify({ captured_at: "2026-04-29T07:00:00Z", files }))
      const { snapshots } = yield* list.run({}, actor)
      expect(snapshots.map(({ name }) => name)).toEqual(["theirs.json", "ours.json"])
    }).pipe(Effect.provide(world(usual)))
  )
})

describe("a snapshot is found", () => {
  it.effect("by its name and by every way that leads to it", () =>
    Effect.gen(function* () {
      const { root } = yield* ArtifactStore
      const { snapshotPath } = yield* taken("a")
      const name = snapshotPath.slice("snapshots/".length)
      for (const path of [
        name,
        name.slice(0, -".json".length),
        snapshotPath,
        `./${snapshotPath}`,
        `artifacts/${snapshotPath}`,
        `memory/artifacts/${snapshotPath}`,
        `${root}/${snapshotPath}`
      ])
        expect([path, (yield* show.run({ path }, actor)).name]).toEqual([path, name])
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("never outside its folder, and not where nothing is", () =>
    Effect.gen(function* () {
      const { root } = yield* ArtifactStore
      yield* put("secret.json", "{}")
      yield* put("snapshots/a.json", "{}")
      for (const path of [
        "../secret.json",
        "snapshots/../secret.json",
        "/etc/passwd",
        `${root}/secret.json`,
        "",
        "a\0"
      ])
        expect([path, yield* codeOf(show.run({ path }, actor))]).toEqual([path, "snapshot_path_refused"])
      for (const path of ["secret.json", "b", "other/a.json"])
        expect([path, yield* codeOf(show.run({ path }, actor))]).toEqual([path, "snapshot_not_found"])
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("only where it can be read as one", () =>
    Effect.gen(function* () {
      for (const text of ["", "[]", "{", "null"]) {
        yield* put("snapshots/a.json", text)
        expect([text, yield* codeOf(show.run({ path: "a" }, actor))]).toEqual([text, "snapshot_unreadable"])
      }
    }).pipe(Effect.provide(world(usual)))
  )
})

describe("the report of two snapshots", () => {
  it.effect("tells what has happened between them", () =>
    Effect.gen(function* () {
      yield* queue()
      const before = yield* taken("before")
      yield* later
      yield* runOnce
      yield* put("wiki/a.md", "a")
      const after = yield* taken("after")
      const input = { before: before.snapshotPath, after: after.snapshotPath }
      const told = yield* Schema.encode(report.output)(yield* report.run(input, actor))
      expect(told).toMatchObject({
        before: { label: "before", captured_at: "1970-01-01T00:00:00.000Z" },
        after: { label: "after" },
        completed_task_delta: { before: 0, after: 1, delta: 1 },
        queued_task_delta: { before: 1, after: 0, delta: -1 },
        new_artifacts_created: ["wiki/a.md"],
        ended_idle: true,
        partial: []
      })
      expect(yield* newestReport.run({}, actor)).toEqual(yield* report.run(input, actor))
      expect(yield* latestReport.run({}, actor)).toEqual({
        report: Option.some(yield* report.run(input, actor))
      })
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("counts and follows workflows however many there are", () =>
    Effect.gen(function* () {
      const { workflows } = yield* Store
      const stamp = Effect.map(now, (at) => ({ at, actor }))
      const opened = yield* stamp
      for (let n = 1; n <= 520; n++)
        yield* workflows.open({ template: "t", instanceKey: `k${n}`, state: "a", context: {} }, opened)
      const before = yield* taken("before")
      yield* later
      const id = WorkflowId.make(1)
      yield* workflows.complete(
        { id, from: "a", to: "a", context: Option.none(), signal: Option.none() },
        yield* stamp
      )
      const after = yield* taken("after")
      const input = { before: before.snapshotPath, after: after.snapshotPath }
      expect(yield* Schema.encode(report.output)(yield* report.run(input, actor))).toMatchObject({
        workflow_counts: {
          total: { before: 520, after: 520, delta: 0 },
          active: { before: 520, after: 519, delta: -1 },
          completed: { before: 0, after: 1, delta: 1 }
        },
        workflow_state_changes: { new: [], advanced: [], completed: [{ id: 1, from: "a", to: "a" }] },
        partial: []
      })
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("is none while there are not two", () =>
    Effect.gen(function* () {
      yield* taken()
      expect(yield* latestReport.run({}, actor)).toEqual({ report: Option.none() })
      expect(yield* codeOf(newestReport.run({}, actor))).toBe("snapshots_too_few")
    }).pipe(Effect.provide(world(usual)))
  )

  it.effect("takes the time of another maker's snapshot from its content", () =>
    Effect.gen(function* () {
      yield* put("snapshots/baseline.json", '{"captured_at":"2026-04-29T07:00:00Z"}')
      yield* taken("a")
      const told = yield* report.run({ before: "baseline", after: "1970-01-01T00-00-00-000Z-a" }, actor)
      expect((yield* Schema.encode(report.output)(told)).before.captured_at).toBe("2026-04-29T07:00:00.000Z")
      expect(told.completedTaskDelta).toEqual({
        before: Option.none(),
        after: Option.some(0),
        delta: Option.none()
      })
    }).pipe(Effect.provide(world(usual)))
  )
})
