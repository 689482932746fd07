import { expect } from "bun:test"
import { Effect, Option, Schema, TestClock } from "effect"
import { ack, list } from "../../src/operate/Outbox.ts"
import { cursorOf } from "../../src/store/Cursor.ts"
import { answer, DOOR, queue, ran, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const sending = world({
  adapters: { local: yields(answer({ external_messages: [{ text: "hi" }, { text: "ho" }] })) },
  settings: {
    profiles: new Map([["lumen", profile({ result_schema: { allow_external_messages: true } })]])
  }
})

const listed = (all = false, after = Option.none<string>(), limit = 50) =>
  Effect.flatMap(list.run({ all, limit, after }, DOOR.actor), Schema.encode(list.output))

const acked = (id: string, name = "olga") =>
  Effect.flatMap(ack.run({ id }, { surface: "cli", name }), Schema.encode(ack.output))

it.effect("messages wait until they are acknowledged, and can still be looked at", () =>
  Effect.gen(function* () {
    const task = yield* queue()
    yield* ran
    const { messages, next } = yield* listed()
    const [second = "", first = ""] = messages.map((one) => one.id)
    for (const id of [first, second]) expect(id).toMatch(UUID_V7)
    expect(second > first).toBe(true)
    const created_at = "1970-01-01T00:00:00.000Z"
    expect(messages).toEqual([
      { id: second, task_id: task, created_at, message: { text: "ho" } },
      { id: first, task_id: task, created_at, message: { text: "hi" } }
    ])
    expect(next).toBeNull()
    yield* TestClock.adjust("1 minute")
    const by = {
      id: first,
      task_id: task,
      acked_at: "1970-01-01T00:01:00.000Z",
      acked_by: { surface: "cli" as const, name: "olga" }
    }
    expect(yield* acked(first.slice(0, -1).toUpperCase())).toEqual({ ok: true, acked: true, ...by })
    yield* TestClock.adjust("1 minute")
    expect(yield* acked(first, "ben")).toEqual({ ok: true, acked: false, ...by })
    expect((yield* listed()).messages.map((one) => one.id)).toEqual([second])
    expect((yield* listed(true)).messages[1]).toEqual({ ...by, created_at, message: { text: "hi" } })
  }).pipe(Effect.provide(sending))
)

it.effect("what names no message, and a cursor of no page, are refused", () =>
  Effect.gen(function* () {
    yield* queue()
    yield* ran
    const ids = (yield* listed()).messages.map((one) => one.id)
    for (const id of ["1", "nonsense", "", "0".repeat(300), `${ids[0]}0`, ids[0]?.slice(0, 7) ?? ""])
      expect(yield* Effect.flip(acked(id))).toMatchObject({ code: "message_not_found", exitCode: 1 })
    expect(yield* Effect.flip(acked(ids[0]?.slice(0, 8) ?? ""))).toMatchObject({
      code: "id_ambiguous",
      message: `several messages begin with ${ids[0]?.slice(0, 8)}: ${ids.toReversed().join(", ")}`
    })
    for (const after of ["x", cursorOf(["outbox", "x"])])
      expect(yield* Effect.flip(listed(false, Option.some(after)))).toMatchObject({
        code: "bad_cursor",
        exitCode: 2
      })
  }).pipe(Effect.provide(sending))
)
