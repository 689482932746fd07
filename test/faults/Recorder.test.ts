import { describe, expect, test } from "bun:test"
import { appendFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { factsIn, Recorder } from "./Recorder.ts"

describe("the recorder", () => {
  test("keeps what clients were told, and a line that was cut short is none", () => {
    const folder = mkdtempSync(join(tmpdir(), "agent-runtime-recorder-"))
    try {
      const file = join(folder, "facts.jsonl")
      expect(new Recorder(file).facts).toEqual([])
      new Recorder(file).heard('{"queued":true,"task_id":"t1","profile":"plain"}\n')
      new Recorder(file).heard('{"ok":true,"status":"completed","task_id":"t1","attempt_id":"a1"}\n')
      appendFileSync(file, '{"told":"queued","taskId":"t')
      expect(new Recorder(file).facts).toEqual([
        { told: "queued", taskId: "t1" },
        { told: "ran", taskId: "t1", attemptId: "a1", status: "completed" }
      ])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test("hears nothing in half an answer, in a refusal or in an idle cycle", () => {
    expect(factsIn('{"queued":true,"task_id":"t1"')).toEqual([])
    expect(factsIn('{"error":"no","code":"x"}')).toEqual([])
    expect(factsIn('{ "ok": true, "status": "idle" }')).toEqual([])
    expect(factsIn("")).toEqual([])
  })

  test("hears the events of a page and answers that span lines", () => {
    const event = { id: 3, event_type: "task_enqueued", created_at: "2026-01-02T03:04:05.006Z", detail: {} }
    expect(factsIn(JSON.stringify({ events: [event] }, null, 2))).toEqual([
      { told: "event", id: 3, eventType: "task_enqueued", createdAt: "2026-01-02T03:04:05.006Z" }
    ])
  })
})
