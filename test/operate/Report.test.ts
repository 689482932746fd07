import { describe, expect, test } from "bun:test"
import { Schema } from "effect"
import type { JsonObject } from "../../src/domain/Json.ts"
import { Report } from "../../src/domain/Snapshot.ts"
import { recorded } from "../../src/operate/RecordedSnapshot.ts"
import { compare } from "../../src/operate/Report.ts"
import { fileOf } from "../../src/operate/SnapshotFiles.ts"

const file = fileOf("a.json")

/** The report of two snapshots as the wire has it. */
const reported = (before: JsonObject, after: JsonObject) =>
  Schema.encodeSync(Report)({
    before: file,
    after: file,
    ...compare(recorded(before), recorded(after))
  })

const counts = (changes: JsonObject = {}) => ({
  status: {
    runtime_state: "idle",
    counts: { queued: 0, running: 0, completed: 0, retryable_failure: 0, blocked: 0, ...changes }
  }
})

const workflow = (key: string, state: string, status = "active", created = "2026-04-29T07:00:00.000Z") => ({
  id: key.length,
  template: "goal-loop",
  instance_key: key,
  current_state: state,
  status,
  created_at: created
})

const named = (key: string) => ({ id: key.length, template: "goal-loop", instance_key: key })

describe("a report", () => {
  test("tells figures before, after and their difference", () => {
    const told = reported(counts({ completed: 3, queued: 5 }), counts({ completed: 7, queued: 4 }))
    expect(told.completed_task_delta).toEqual({ before: 3, after: 7, delta: 4 })
    expect(told.queued_task_delta).toEqual({ before: 5, after: 4, delta: -1 })
  })

  test("tells new files, and of a cut list only those that are surely new", () => {
    const before = { artifact_files: ["a.md", "b/c.md", "d.md"] }
    const after = { artifact_files: ["a.md", "b/a.md", "d.md", "e.md"] }
    expect(reported(before, after).new_artifacts_created).toEqual(["b/a.md", "e.md"])
    const truncated = [{ list: "artifact_files", shown: 3, total: 9 }]
    const cut = reported({ ...before, truncated }, after)
    expect([cut.new_artifacts_created, cut.partial]).toEqual([["b/a.md"], ["artifact_files"]])
  })

  test("tells which workflows are new, have moved, and are completed", () => {
    const before = { workflows: [workflow("a", "plan"), workflow("bb", "plan"), workflow("ccc", "verify")] }
    const after = {
      workflows: [
        workflow("a", "plan", "stalled"),
        workflow("bb", "execute"),
        workflow("ccc", "complete", "completed"),
        workflow("dddd", "plan"),
        workflow("eeeee", "complete", "completed")
      ]
    }
    const told = reported(before, after)
    expect(told.workflow_state_changes).toEqual({
      new: [
        { ...named("dddd"), state: "plan" },
        { ...named("eeeee"), state: "complete" }
      ],
      advanced: [{ ...named("bb"), from: "plan", to: "execute" }],
      completed: [
        { ...named("ccc"), from: "verify", to: "complete" },
        { ...named("eeeee"), from: null, to: "complete" }
      ]
    })
    expect(told.workflow_counts).toEqual({
      total: { before: 3, after: 5, delta: 2 },
      active: { before: 3, after: 2, delta: -1 },
      stalled: { before: 0, after: 1, delta: 1 },
      completed: { before: 0, after: 2, delta: 2 }
    })
    expect(reported(after, after).workflow_state_changes).toEqual({ new: [], advanced: [], completed: [] })
  })

  test("takes no workflow for new that a cut list may only not have held", () => {
    const before = {
      captured_at: "2026-04-29T08:00:00.000Z",
      workflows: [],
      truncated: ["workflows", "active_workflows"].map((list) => ({ list, shown: 0, total: null }))
    }
    const after = {
      workflows: [
        workflow("a", "plan"),
        workflow("bb", "complete", "completed"),
        workflow("ccc", "plan", "active", "2026-04-29T08:00:00.001Z")
      ]
    }
    const { partial, workflow_state_changes } = reported(before, after)
    expect(workflow_state_changes).toEqual({
      new: [{ ...named("ccc"), state: "plan" }],
      advanced: [],
      completed: []
    })
    expect(partial).toEqual(["workflows"])
  })

  test("is whole where a list is cut beyond what was over before, and counts what was counted", () => {
    const ended = (key: string, at: string) => ({
      ...workflow(key, "complete", "completed"),
      completed_at: at
    })
    const truncated = [{ list: "workflows", shown: 2, total: 9 }]
    const workflow_counts = { active: 1, stalled: 0, completed: 8 }
    const before = {
      captured_at: "2026-04-29T08:00:00.000Z",
      workflows: [workflow("a", "plan"), workflow("bb", "plan"), ended("eeeee", "2026-04-29T07:59:00.000Z")],
      workflow_counts: { active: 2, stalled: 0, completed: 7 },
      truncated
    }
    const after = {
      workflows: [
        workflow("a", "execute"),
        ended("bb", "2026-04-29T08:01:00.000Z"),
        ended("dddd", "2026-04-29T07:58:00.000Z")
      ],
      workflow_counts,
      truncated
    }
    const told = reported(before, after)
    expect(told.workflow_state_changes).toEqual({
      new: [],
      advanced: [{ ...named("a"), from: "plan", to: "execute" }],
      completed: [{ ...named("bb"), from: "plan", to: "complete" }]
    })
    expect([told.partial, told.workflow_counts.completed]).toEqual([[], { before: 7, after: 8, delta: 1 }])
    // All that it has of the completed ones were completed since: there may be more of them.
    const shorter = { ...after, workflows: after.workflows.slice(0, 2) }
    expect(reported(before, shorter).partial).toEqual(["workflows"])
    const active = { list: "active_workflows", shown: 1, total: 3 }
    for (const [earlier, later] of [
      [{ ...before, truncated: [...truncated, active] }, after],
      [before, { ...after, truncated: [...truncated, active] }]
    ] as const)
      expect(reported(earlier, later).partial).toEqual(["workflows"])
  })

  test("tells the tasks that are held up in the end", () => {
    const held = [
      { task_id: "1", status: "blocked" },
      { task_id: "2", status: "retryable_failure" }
    ]
    expect(reported({}, { blocked_or_retryable_tasks: held }).blocked_or_retryable_tasks).toEqual(held)
    const queued_tasks = [...held, { task_id: "3", status: "pending" }]
    expect(reported({}, { queued_tasks }).blocked_or_retryable_tasks).toEqual(held)
  })

  test("says that it ended idle when nothing is queued, running or to be retried", () => {
    expect(reported({}, counts({ completed: 9, blocked: 1 })).ended_idle).toBe(true)
    for (const one of ["queued", "running", "retryable_failure"])
      expect([one, reported({}, counts({ [one]: 1 })).ended_idle]).toEqual([one, false])
  })

  test("of snapshots that lack most of it tells what can be told", () => {
    for (const [before, after] of [
      [{}, {}],
      [
        { status: null, workflows: "none", artifact_files: {} },
        { status: { counts: [] }, truncated: 3 }
      ]
    ] as const) {
      const told = reported(before, after)
      expect(told.completed_task_delta).toEqual({ before: null, after: null, delta: null })
      expect(told.workflow_counts.total).toEqual({ before: null, after: null, delta: null })
      expect(told).toMatchObject({ new_artifacts_created: [], ended_idle: null, partial: [] })
    }
  })

  test("reads the lists of other makers: files as objects, workflows without a status", () => {
    const before = {
      queued_tasks: [{}, {}],
      workflows: [{ id: 1, instance_key: "a", current_state: "plan" }]
    }
    const after = {
      status: { runtime_state: "idle" },
      queued_tasks: [],
      artifact_files: [{ path: "a.md", size: 3 }, { name: "b" }, 7, "c.md"],
      workflows: [
        { id: 1, instance_key: "a", current_state: "complete", completed_at: "2026-04-29T07:00:00Z" },
        { id: 2 },
        "odd"
      ]
    }
    const told = reported(before, after)
    expect(told).toMatchObject({
      queued_task_delta: { before: 2, after: 0, delta: -2 },
      new_artifacts_created: ["a.md", "c.md"],
      ended_idle: true,
      workflow_state_changes: {
        new: [{ id: 2, template: null, instance_key: "2", state: null }],
        advanced: [],
        completed: [{ id: 1, template: null, instance_key: "a", from: "plan", to: "complete" }]
      }
    })
  })
})
