import { expect, test } from "bun:test"
import { type Message, makeReader } from "../../src/page/EventStream.ts"

const TEXT =
  ': hello\r\n\r\nevent: dashboard\r\nid: 7\r\ndata: {"a":1}\r\n\r\nid: 8\nevent: events\ndata: one\ndata: two\n\n:beat\n\ndata:bare\n\n'

const TOLD: ReadonlyArray<Message> = [
  { event: "dashboard", data: '{"a":1}', id: "7" },
  { event: "events", data: "one\ntwo", id: "8" },
  { event: "message", data: "bare", id: "8" }
]

test("a stream tells the same wherever its pieces are cut", () => {
  for (let cut = 0; cut <= TEXT.length; cut++) {
    const { push } = makeReader()
    expect([...push(TEXT.slice(0, cut)), ...push(TEXT.slice(cut))]).toEqual([...TOLD])
  }
})

test("a character at a time is a stream, too", () => {
  const { push } = makeReader()
  expect([...TEXT].flatMap((character) => push(character))).toEqual([...TOLD])
})

test("a message is not told before it is complete", () => {
  const { push } = makeReader()
  expect(push("data: x\n")).toEqual([])
  expect(push("\n")).toEqual([{ event: "message", data: "x", id: undefined }])
})
