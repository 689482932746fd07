import { expect, setDefaultTimeout, test } from "bun:test"
import type { Place } from "../support/binary.ts"
import { errorOf, inPlace, queue, runOnce, saying, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

const blocks = scripted(
  saying({ status: "blocked", operator_summary: "I need a key.", machine_status: "blocked" })
)

/** A command that must be refused with exit code 1, its error and nothing on stdout. */
const refused = async (place: Place, ...args: ReadonlyArray<string>) => {
  const told = await place.run([...args, "-o", "json"])
  expect({ args, code: told.code, stdout: told.stdout }).toEqual({ args, code: 1, stdout: "" })
  return errorOf(told)
}

test("pause and resume survive processes, keep reason and time, and are told in the history", () =>
  inPlace({}, async (place) => {
    const id = await queue(place)
    const paused = await place.json(["pause", "--reason", "maintenance"])
    expect(paused).toEqual({ paused: true, reason: "maintenance", updated_at: expect.any(String) })
    expect((await runOnce(place)).status).toBe("paused")
    expect((await story(place, id)).waiting).toMatchObject({
      reason: "paused",
      detail: expect.stringContaining("maintenance")
    })
    expect(await place.json(["resume"])).toMatchObject({ paused: false, reason: null })
    expect((await runOnce(place)).status).toBe("completed")
    const { events } = (await place.json(["events"])) as { events: ReadonlyArray<{ event_type: string }> }
    expect(events.map((one) => one.event_type).filter((one) => one.startsWith("dispatch_pause"))).toEqual([
      "dispatch_pause_enabled",
      "dispatch_paused",
      "dispatch_pause_cleared"
    ])
  }))

test("a waiting task is canceled, stays canceled, and begins anew by a retry", () =>
  inPlace({}, async (place) => {
    const id = await queue(place)
    expect(await place.json(["task-cancel", id, "--reason", "not needed"])).toEqual({
      ok: true,
      task_id: id,
      status: "operator_canceled"
    })
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
    expect((await refused(place, "task-cancel", id)).code).toBe("move_refused")
    const canceled = await story(place, id)
    expect(canceled.task).toMatchObject({ status: "operator_canceled", attempt_count: 0 })
    expect(canceled.task.finished_at).not.toBeNull()
    expect(canceled.events.at(-1)).toMatchObject({
      event_type: "task_operator_canceled",
      detail: { reason: "not needed" }
    })
    expect(await place.json(["task-retry", id])).toEqual({ ok: true, task_id: id, status: "pending" })
    expect((await refused(place, "task-retry", id)).code).toBe("move_refused")
    expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: id })
  }))

test("a blocked task waits for its operator; a retry is a fresh round with the history kept", () =>
  inPlace(blocks, async (place) => {
    const id = await queue(place)
    expect((await runOnce(place)).status).toBe("blocked")
    const before = await story(place, id)
    expect(before.waiting).toMatchObject({ reason: "operator", until: null })
    expect(before.task.last_error).toContain("I need a key.")
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
    expect(await place.json(["task-retry", "--note", "it is there now", id])).toMatchObject({
      status: "pending"
    })
    expect((await story(place, id)).task).toMatchObject({ status: "pending", attempt_count: 0 })
    await runOnce(place)
    const after = await story(place, id)
    expect(after.attempts.map((one) => one.number)).toEqual([1, 2])
    expect(after.task).toMatchObject({ status: "blocked", attempt_count: 1 })
    const prompt = await Bun.file(
      place.path("state", "artifacts", after.attempts[1]?.prompt_path ?? "?")
    ).text()
    expect(prompt).toContain("it is there now")
    expect(await place.json(["task-cancel", id])).toMatchObject({ status: "operator_canceled" })
  }))

test("what names no task is answered with exit code 1 and its remedy", () =>
  inPlace({}, async (place) => {
    for (const id of ["0196a1b2-0000-7000-8000-000000000001", "nonsense", "*", "ö"])
      expect(await refused(place, "task-show", id)).toEqual({
        error: `there is no task ${id}`,
        code: "task_not_found",
        hint: "agent-runtime task-list shows the newest ones"
      })
    expect((await refused(place, "task-cancel", "nonsense")).code).toBe("task_not_found")
    expect((await refused(place, "task-retry", "nonsense")).code).toBe("task_not_found")
  }))
