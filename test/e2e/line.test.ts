import { expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { inPlace, queue, story } from "./inPlace.ts"
import { Events, exactly, Queued, StatusReport, TaskPage } from "./wire.ts"

setDefaultTimeout(60_000)

test("an intent is queued, run and told in the shapes of the contract, to the key", () =>
  inPlace({}, async (place) => {
    const intent = {
      kind: "note",
      source: "operator:line",
      subject: "A line",
      description: "Say done.",
      priority: 7,
      payload: { text: "hello", list: [1, null, { deep: true }] },
      requested_profile: "plain",
      requested_adapter: "local",
      requested_model: "none",
      max_attempts: 2,
      dedupe_key: "line-1"
    }
    const before = exactly(StatusReport, await place.json(["status"]))
    expect(before.recent).toEqual([])
    expect(before.last_event).toBeNull()

    const queued = exactly(Queued, await place.json(["intake", "--json", JSON.stringify(intent)]))
    expect(queued).toMatchObject({ queued: true, profile: "plain" })
    const waiting = await story(place, queued.task_id)
    expect(waiting.task).toMatchObject({
      ...intent,
      task_id: queued.task_id,
      status: "pending",
      attempt_count: 0,
      available_at: queued.available_at,
      started_at: null,
      finished_at: null,
      outcome: null,
      last_error: null,
      parent_task_id: null,
      workflow_id: null,
      untrusted: false
    })
    expect(waiting.attempts).toEqual([])
    expect(waiting.waiting).toMatchObject({ reason: "no_dispatcher", until: null })

    const cycle = await place.json(["run-once"])
    const { attempts, events, task, waiting: nothing } = await story(place, queued.task_id)
    const attempt = attempts[0]!
    expect(cycle).toEqual({
      ok: true,
      status: "completed",
      task_id: queued.task_id,
      attempt_id: attempt.attempt_id,
      operator_summary: "done"
    })
    expect(attempts).toHaveLength(1)
    expect(attempt).toMatchObject({
      task_id: task.task_id,
      number: 1,
      profile_id: "plain",
      adapter_id: "local",
      adapter_mode: "script",
      status: "finished",
      exit_status: "ok",
      retry_class: "none",
      usage: { input_tokens: null, output_tokens: null, cached_tokens: null, cost_usd: null },
      issues: []
    })
    expect(task).toMatchObject({ status: "completed", attempt_count: 1, last_error: null })
    expect(task.outcome?.operator_summary).toBe("done")
    expect(task.started_at).toBe(attempt.started_at)
    expect(task.finished_at).toBe(attempt.ended_at)
    expect(nothing).toBeNull()
    for (const path of [attempt.prompt_path, attempt.stdout_path, attempt.stderr_path, attempt.result_path])
      expect(existsSync(place.path("state", "artifacts", path ?? "?"))).toBe(true)
    const prompt = readFileSync(place.path("state", "artifacts", attempt.prompt_path ?? "?"), "utf8")
    expect(prompt).toContain("Say done.")

    expect(events.map((one) => one.event_type)).toEqual([
      "task_enqueued",
      "task_claimed",
      "bundle_compiled",
      "task_started",
      "task_attempt_finished",
      "task_finished"
    ])
    expect(events.map((one) => one.attempt_id)).toEqual([null, ...Array(5).fill(attempt.attempt_id)])
    expect(exactly(Events, await place.json(["events"])).events).toEqual([...events])
    expect(exactly(TaskPage, await place.json(["task-list"]))).toEqual({ tasks: [task], next: null })

    const after = exactly(StatusReport, await place.json(["status"]))
    expect(after).toMatchObject({
      runtime_name: "test-runtime",
      runtime_state: "idle",
      dispatcher: { held: false, runner_id: null, since: null },
      last_event: events.at(-1)
    })
    expect(after.counts.completed).toBe(1)
    expect(after.recent).toEqual([
      {
        task_id: task.task_id,
        kind: "note",
        subject: "A line",
        status: "completed",
        created_at: task.created_at,
        updated_at: task.updated_at,
        operator_summary: "done",
        attempt_id: attempt.attempt_id,
        bundle_hash: attempt.bundle_hash
      }
    ])
    expect(await place.json(["run-once"])).toEqual({ ok: true, status: "idle" })
  }))

test("an intent of the three required keys gets the documented defaults", () =>
  inPlace({}, async (place) => {
    const { task } = await story(place, await queue(place))
    expect(task).toMatchObject({
      subject: null,
      description: null,
      priority: 5,
      requested_profile: null,
      requested_adapter: null,
      requested_model: null,
      max_attempts: 3,
      dedupe_key: null
    })
  }))

test("an intent comes from --json, --file, --file - and a lone -", () =>
  inPlace({}, async (place) => {
    const document = JSON.stringify({ kind: "note", source: "e2e", payload: {} })
    await place.write("intent.json", document)
    const stdin = { stdin: document }
    const from = [
      await place.json(["intake", "--json", document]),
      await place.json(["intake", "--file", "intent.json"]),
      await place.json(["intake", "--file", "-"], stdin),
      await place.json(["intake", "-"], stdin)
    ].map((one) => exactly(Queued, one))
    expect(from.every((one) => one.queued)).toBe(true)
    expect(new Set(from.map((one) => one.task_id)).size).toBe(4)
  }))

test("run-once tells a paused runtime and does not claim", () =>
  inPlace({}, async (place) => {
    await queue(place)
    await place.json(["pause", "--reason", "a look around"])
    const said = await place.json(["run-once"])
    expect(said).toMatchObject({ ok: true, status: "paused", reason: "a look around" })
    expect(exactly(StatusReport, await place.json(["status"]))).toMatchObject({
      runtime_state: "paused",
      dispatch_paused: { paused: true, reason: "a look around" },
      counts: { queued: 1, completed: 0 },
      last_event: { event_type: "dispatch_paused" }
    })
  }))
