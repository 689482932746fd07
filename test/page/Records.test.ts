import { afterEach, beforeEach, expect, jest, test } from "bun:test"
import type { Api } from "../../src/page/Api.ts"
import { cell } from "../../src/page/Cell.ts"
import { makeRecords } from "../../src/page/Records.ts"
import type { RunEvent } from "../../src/page/Wire.ts"

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  jest.useRealTimers()
})

const event = (id: number): RunEvent => ({
  id,
  event_type: "task_finished",
  task_id: "a",
  attempt_id: null,
  actor: { surface: "cli", name: "olga" },
  detail: {},
  created_at: "2026-04-29T07:00:00.000Z"
})

/** Somebody who looks at a task; answers how to leave. */
const comerTo = (records: ReturnType<typeof makeRecords>) => () =>
  records.use(
    "/api/tasks/a",
    () => true,
    () => {}
  )

/** What is asked for, and when, of a server that answers at once. */
const page = () => {
  const asked: Array<number> = []
  const refuse = () => Promise.reject(new Error("nobody asks for that here"))
  const api: Api = {
    get: <A>() => {
      asked.push(Date.now() - 1_000_000)
      return Promise.resolve({} as A)
    },
    post: refuse,
    open: refuse
  }
  let hear: (events: ReadonlyArray<RunEvent>) => void = () => {}
  const epoch = cell(0)
  const records = makeRecords(
    api,
    (listener) => {
      hear = listener
      return () => {}
    },
    epoch
  )
  return { asked, records, hear: (id: number) => hear([event(id)]) }
}

/** Lets so much time pass, an event every 50 ms if wanted; answers come in between. */
const pass = async (ms: number, hear?: (id: number) => void) => {
  for (let at = 0; at < ms; at += 50) {
    hear?.(at)
    jest.advanceTimersByTime(50)
    for (let turn = 0; turn < 4; turn++) await Promise.resolve()
  }
}

test("a record is asked for at once, then ever less often while things go on happening", async () => {
  const { asked, hear, records } = page()
  records.use(
    "/api/tasks",
    () => true,
    () => {}
  )
  await pass(10_000)
  expect(asked).toEqual([0])
  await pass(5_000, hear)
  const gaps = asked.slice(2).map((at, index) => at - (asked[index + 1] ?? 0))
  expect(asked[1]).toBeLessThan(10_100)
  expect(gaps.slice(0, 4)).toEqual([150, 300, 600, 1_200])
  expect(Math.max(...gaps)).toBe(1_200)
  await pass(5_000)
  const quiet = asked.length
  hear(1)
  await pass(50)
  expect(asked.length).toBe(quiet + 1)
  hear(2)
  await pass(150)
  expect(asked.length).toBe(quiet + 2)
})

test("what touches nothing, or nobody looks at, is not asked for", async () => {
  const { asked, hear, records } = page()
  const leave = records.use(
    "/api/tasks",
    () => false,
    () => {}
  )
  await pass(1_000, hear)
  expect(asked).toHaveLength(1)
  leave()
  await pass(1_000, hear)
  expect(asked).toHaveLength(1)
})

test("what was still to be asked for when the last one left is asked for by the next one, however soon it comes", async () => {
  const { asked, hear, records } = page()
  const come = comerTo(records)
  const leave = come()
  await pass(50)
  // Heard, and due in a moment: until then nobody is there any more.
  hear(1)
  leave()
  come()
  await pass(1_000)
  expect(asked).toEqual([0, 50])
})

test("what was answered just before is not asked for again by who comes next", async () => {
  const { asked, records } = page()
  const come = comerTo(records)
  const leave = come()
  await pass(50)
  leave()
  come()
  await pass(1_000)
  expect(asked).toEqual([0])
})
