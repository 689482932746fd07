import { expect, setDefaultTimeout, test } from "bun:test"
import { Schema } from "effect"
import type { Place } from "../support/binary.ts"
import { errorOf, inPlace, queue, runOnce, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

const asked = (question: unknown) =>
  JSON.stringify({
    status: "blocked",
    operator_summary: "I cannot decide.",
    machine_status: "blocked",
    question
  })

const done = JSON.stringify({
  status: "completed",
  operator_summary: "It is done.",
  machine_status: "ok",
  external_messages: [
    { type: "email", text: "no" },
    { type: "discord", text: "painted" }
  ]
})

/** A script that asks until the prompt of its attempt holds an answer, then completes and sends two messages. */
const asks = (question: unknown) => ({
  ...scripted(`if grep -q "## Questions that were answered" "$AGENT_RUNTIME_AUDIT_DIR/assembled-context.txt"
then echo '${done}'; else echo '${asked(question)}'; fi`),
  profile: {
    result_schema: { allow_external_messages: true },
    tool_policy: { allow_outbound_email: false }
  }
})

const refused = async (place: Place, code: number, ...args: ReadonlyArray<string>) => {
  const told = await place.run([...args, "-o", "json"])
  expect({ args, code: told.code, stdout: told.stdout }).toEqual({ args, code, stdout: "" })
  return errorOf(told)
}

const Outbox = Schema.Struct({ messages: Schema.Array(Schema.Struct({ id: Schema.String })) })
const Bundle = Schema.Struct({ prompt: Schema.Struct({ rendered_text: Schema.String }) })

test("a question is listed, answered and told to the next attempt; what that one sends is read and acknowledged", () =>
  inPlace(asks({ text: "Which colour?", choices: ["red", "blue"], default: "green" }), async (place) => {
    const id = await queue(place)
    expect((await runOnce(place)).status).toBe("blocked")
    const before = await story(place, id)
    expect(before.waiting).toEqual({
      reason: "answer",
      detail: "it waits for an answer: Which colour?",
      until: null
    })
    expect(before.attempts[0]?.issues).toEqual([
      'question: its default "green" was left out, it is not among its choices'
    ])
    expect(await place.json(["question-list"])).toEqual({
      questions: [
        {
          task_id: id,
          text: "Which colour?",
          choices: ["red", "blue"],
          asked_at: expect.any(String),
          expires_at: null,
          default: null,
          expired: false
        }
      ],
      next: null
    })
    expect((await refused(place, 1, "task-answer", id, "--choice", "green")).error).toContain(
      'offers "red", "blue", not "green"'
    )
    await refused(place, 2, "task-answer", id)
    await refused(place, 2, "task-answer", id, "--choice", "red", "--text", "red")
    expect(await place.json(["task-answer", id, "--choice", "red"])).toMatchObject({
      ok: true,
      task_id: id,
      status: "pending"
    })
    expect((await refused(place, 1, "task-answer", id, "--choice", "blue")).code).toBe("no_open_question")
    expect((await runOnce(place)).status).toBe("completed")
    const after = await story(place, id)
    expect(after.attempts[1]?.bundle_hash).not.toBe(after.attempts[0]?.bundle_hash)
    const shown = await place.read(Bundle, ["bundle-show", String(after.attempts[1]?.bundle_id)])
    expect(shown.prompt.rendered_text).toContain("- Question: Which colour?")
    expect(shown.prompt.rendered_text).toContain("Your operator answers: red")
    expect(after.events.find((one) => one.event_type === "follow_up_refused")?.detail).toMatchObject({
      reason: "the profile's tool policy says allow_outbound_email: false"
    })
    const waiting = await place.json(["outbox-list"])
    const [message] = Schema.decodeUnknownSync(Outbox)(waiting).messages
    const sent = String(message?.id)
    expect(waiting).toEqual({
      messages: [
        {
          id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
          task_id: id,
          created_at: expect.any(String),
          message: { type: "discord", text: "painted" }
        }
      ],
      next: null
    })
    const acked = await place.json(["outbox-ack", sent.slice(0, 13)])
    expect(acked).toMatchObject({ ok: true, acked: true, id: sent, acked_by: { surface: "cli" } })
    expect(await place.json(["outbox-ack", sent])).toEqual({ ...Object(acked), acked: false })
    expect(await place.json(["outbox-list"])).toEqual({ messages: [], next: null })
    expect((await refused(place, 1, "outbox-ack", "1")).code).toBe("message_not_found")
  }))

test("a question that has expired takes its default in the next cycle, without one it stays, marked", () =>
  inPlace(
    asks({ text: "Which?", expires_at: "2026-01-01T00:00:00Z", default: "this one" }),
    async (place) => {
      const id = await queue(place)
      expect((await runOnce(place)).status).toBe("blocked")
      expect((await runOnce(place)).status).toBe("completed")
      const { events } = await story(place, id)
      expect(events.filter((one) => one.event_type === "task_retried")).toMatchObject([
        { actor: { surface: "dispatch" }, detail: { question: "Which?", answer: "this one" } }
      ])
      const none = { text: "Which?", expires_at: "2026-01-01T00:00:00Z" }
      await place.write("run.sh", `#!/bin/sh\necho '${asked(none)}'\n`)
      const other = await queue(place)
      await runOnce(place)
      const opened = ["workflow-create", "--template", "goal-loop", "--instance_key", "g"]
      await place.json([...opened, "--context", '{"summary":"Quiet the pump"}'])
      await runOnce(place)
      const workflow = () => place.json(["workflow-show", "--instance_key", "g"])
      expect(await workflow()).toMatchObject({ status: "active", waits_for: { question: "Which?" } })
      expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
      expect((await story(place, other)).waiting?.detail).toContain("its question has expired")
      expect(await place.json(["question-list"])).toMatchObject({
        questions: [{ expired: true }, { task_id: other, expired: true }]
      })
      expect(await workflow()).toMatchObject({
        status: "stalled",
        stalled_reason: expect.stringContaining("question_expired: nobody answered task"),
        waits_for: null
      })
    }
  ))
