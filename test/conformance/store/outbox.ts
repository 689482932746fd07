import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { Store } from "../../../src/store/Store.ts"
import {
  actor,
  add,
  at,
  attemptId,
  claimed,
  newest,
  Raw,
  stampAt,
  taskId,
  text
} from "../../support/store.ts"
import type { Sentence } from "../store.ts"

const put = (text: string, seconds: number) =>
  Effect.flatMap(Store, ({ outbox }) =>
    outbox.add({ taskId: taskId("a"), attemptId: attemptId("a1"), message: { text } }, stampAt(seconds))
  )

const page = (limit = 9, after = Option.none<string>(), all = false) =>
  Effect.flatMap(Store, ({ outbox }) => Effect.map(outbox.list({ all, limit, after }), Option.getOrThrow))

const texts = (limit = 9, all = false) =>
  Effect.map(page(limit, Option.none(), all), ({ messages }) => messages.map((one) => one.message.text))

const filled = Effect.gen(function* () {
  yield* add("a")
  yield* claimed("a1")
  for (const [index, one] of ["one", "two", "three", "four", "five"].entries()) yield* put(one, index)
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
      for (const after of ["", "17", "aWQ6", "aWQ6LTE", "aWQ6MTc=", "ö"])
        expect(yield* outbox.list({ all: false, limit: 9, after: Option.some(after) })).toEqual(Option.none())
    })
  )

  check(
    "acknowledges once; who comes later is told by whom and when it was done",
    Effect.gen(function* () {
      yield* filled
      const { outbox } = yield* Store
      const id = (yield* page()).messages[2]?.id ?? 0
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
      expect(yield* outbox.ack(17, stampAt(0))).toEqual(Option.none())
      expect(yield* newest(9)).toEqual([])
    })
  )

  check(
    "shows a message that another program has damaged, and lets it be acknowledged",
    Effect.gen(function* () {
      yield* filled
      const raw = yield* Raw
      const { outbox } = yield* Store
      yield* raw.run("UPDATE outbox SET message_json = '{' WHERE id = 2")
      const shown = (yield* page()).messages.find((one) => one.id === 2)
      expect(shown?.message).toEqual({ damaged: "message_json is not JSON" })
      expect(Option.getOrThrow(yield* outbox.ack(2, stampAt(1))).acked).toBe(true)
      expect(yield* texts()).toEqual(["five", "four", "three", "one"])
    })
  )
}
