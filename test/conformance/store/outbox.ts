import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { cursorOf } from "../../../src/store/Cursor.ts"
import { Store } from "../../../src/store/Store.ts"
import {
  actor,
  add,
  at,
  attemptId,
  claimed,
  messageId,
  newest,
  Raw,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const put = (text: string, nth: number) =>
  Effect.flatMap(Store, ({ outbox }) =>
    outbox.add(
      { id: messageId(nth), taskId: taskId("a"), attemptId: attemptId("a1"), message: { text } },
      stampAt(nth)
    )
  )

const page = (limit = 9, after = Option.none<string>(), all = false) =>
  Effect.flatMap(Store, ({ outbox }) => Effect.map(outbox.list({ all, limit, after }), Option.getOrThrow))

const texts = (limit = 9, all = false) =>
  Effect.map(page(limit, Option.none(), all), ({ messages }) => messages.map((one) => one.message.text))

const filled = Effect.gen(function* () {
  yield* add("a")
  yield* claimed("a1")
  for (const [index, one] of ["one", "two", "three", "four", "five"].entries()) yield* put(one, index + 1)
})

/** Messages that bridges read and acknowledge. */
export const outbox = (check: Sentence) => {
  check(
    "lists what is not acknowledged newest first, page by page to the end",
    Effect.gen(function* () {
      yield* filled
      const first = yield* page(2)
      expect(first.messages.map((one) => one.message.text)).toEqual(["five", "four"])
      expect(first.messages[0]).toMatchObject({ taskId: taskId("a"), ackedAt: Option.none() })
      const second = yield* page(2, first.next)
      expect(second.messages.map((one) => one.message.text)).toEqual(["three", "two"])
      const third = yield* page(2, second.next)
      expect([third.messages.map((one) => one.message.text), third.next]).toEqual([["one"], Option.none()])
      expect((yield* page(5)).next).toEqual(Option.none())
    })
  )

  check(
    "answers none to a cursor that it did not give",
    Effect.gen(function* () {
      const { outbox } = yield* Store
      const forged = [["id", "17"], ["outbox", "x"], ["outbox"], ["questions", messageId(1)], [messageId(1)]]
      for (const after of ["", "17", "aWQ6MTc=", "ö", ...forged.map(cursorOf)])
        expect(yield* outbox.list({ all: false, limit: 9, after: Option.some(after) })).toEqual(Option.none())
    })
  )

  check(
    "acknowledges once; who comes later is told by whom and when it was done",
    Effect.gen(function* () {
      yield* filled
      const { outbox } = yield* Store
      const id = messageId(3)
      const done = Option.getOrThrow(yield* outbox.ack(id, stampAt(60)))
      expect(done.acked).toBe(true)
      expect([text(done.message.ackedAt), done.message.ackedBy]).toEqual([text(at(60)), Option.some(actor)])
      expect((yield* newest(1))[0]).toMatchObject({
        eventType: "outbox_acked",
        taskId: Option.some("a"),
        detail: { outbox_id: id },
        actor
      })
      const other = { at: at(90), actor: { surface: "http", name: "bridge" } } as const
      expect(yield* outbox.ack(id, other)).toEqual(Option.some({ acked: false, message: done.message }))
      expect((yield* newest(99)).filter((one) => one.eventType === "outbox_acked")).toHaveLength(1)
      expect(yield* texts()).toEqual(["five", "four", "two", "one"])
      expect(yield* texts(9, true)).toEqual(["five", "four", "three", "two", "one"])
    })
  )

  check(
    "answers none for a message that is not there, and tells nothing",
    Effect.gen(function* () {
      const { outbox } = yield* Store
      expect(yield* outbox.ack(messageId(17), stampAt(0))).toEqual(Option.none())
      expect(yield* newest(9)).toEqual([])
    })
  )

  check(
    "shows a message that another program has damaged, and lets it be acknowledged",
    Effect.gen(function* () {
      yield* filled
      const raw = yield* Raw
      const { outbox } = yield* Store
      yield* raw.run("UPDATE outbox SET message_json = '{' WHERE id = ?", messageId(2))
      const shown = (yield* page()).messages.find((one) => one.id === messageId(2))
      expect(shown?.message).toEqual({ damaged: "message_json is not JSON" })
      expect(Option.getOrThrow(yield* outbox.ack(messageId(2), stampAt(1))).acked).toBe(true)
      expect(yield* texts()).toEqual(["five", "four", "three", "one"])
    })
  )

  check(
    "knows a message that another attempt of its task has put out, in whatever order its keys stand",
    Effect.gen(function* () {
      const { outbox } = yield* Store
      yield* filled
      yield* add("b")
      const message = { type: "discord", to: { name: "größe", at: 1.5 } }
      const sent = { id: messageId(6), taskId: taskId("a"), attemptId: attemptId("a1"), message }
      yield* outbox.add(sent, stampAt(6))
      yield* outbox.ack(sent.id, stampAt(7))
      const again = { ...sent, message: { to: { at: 1.5, name: "größe" }, type: "discord" } }
      expect(yield* outbox.putOutBefore({ ...again, attemptId: attemptId("a2") })).toEqual(
        Option.some(sent.id)
      )
      for (const other of [
        again,
        { ...again, attemptId: attemptId("a2"), taskId: taskId("b") },
        { ...again, attemptId: attemptId("a2"), message: { ...message, type: "email" } }
      ])
        expect(yield* outbox.putOutBefore(other)).toEqual(Option.none())
    })
  )

  check(
    "finds messages by the beginning of their ids",
    Effect.gen(function* () {
      const { outbox } = yield* Store
      yield* filled
      const ids = [1, 2, 3, 4, 5].map(messageId)
      expect(yield* outbox.startingWith(messageId(1).slice(0, 8), 9)).toEqual(ids)
      expect(yield* outbox.startingWith(messageId(1).slice(0, 8), 2)).toEqual(ids.slice(0, 2))
      expect(yield* outbox.startingWith(messageId(3), 9)).toEqual([messageId(3)])
      expect(yield* outbox.startingWith("f", 9)).toEqual([])
    })
  )

  check(
    "goes on after a message to which another program has given an id of its own",
    Effect.gen(function* () {
      yield* filled
      const raw = yield* Raw
      yield* raw.run("UPDATE outbox SET id = '0 or so' WHERE id = ?", messageId(2))
      yield* raw.run("UPDATE outbox SET id = '0' WHERE id = ?", messageId(1))
      const first = yield* page(4)
      expect(first.messages.map((one) => one.message.text)).toEqual(["five", "four", "three", "two"])
      const second = yield* page(4, first.next)
      expect(second.messages.map((one) => one.message.text)).toEqual(["one"])
    })
  )
}
