import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { findOutcome } from "../../src/evidence/Reply.ts"
import { withoutThoughts } from "../../src/evidence/Thoughts.ts"
import { growsLinearly } from "../support/growth.ts"

const OK = { status: "completed", operator_summary: "done", machine_status: "ok" }
const json = (more: Record<string, unknown> = {}) => JSON.stringify({ ...OK, ...more })
const answerOf = (text: string, prompt: Option.Option<string>) => {
  const reply = findOutcome(text, { signals: [], mask: (words) => words, prompt })
  return reply._tag === "Found" ? reply.outcome.operatorSummary : reply.reason
}
/** What a model says by `text`: the summary of its outcome, or why there is none. */
const heard = (text: string) => answerOf(text, Option.some("Do it."))

describe("what a model thinks is no answer", () => {
  const none =
    /^no JSON object with a status stands in the .* characters of the answer, its <think> text aside$/
  test.each([
    ["a thought", `<think>maybe ${json()}</think>`],
    ["a thought by its long name", `<Thinking>${json()}</Thinking> Well.`],
    ["after a thought", `<think>a</think> so <think>${json()}</think>`],
    ["an open thought", `<think>let me see. ${json()}`],
    ["a thought whose end has another name", `<think>${json()}</thinking> ${json()}`],
    ["an object that begins in a thought", `<think>{"status":"</think>completed","operator_summary":"x"}`]
  ])("%s", (_, text) => {
    expect(heard(text)).toMatch(none)
  })

  test("an object that a thought parts is none", () => {
    expect(heard(json().replace(":", ":<think>hm</think>"))).toMatch(
      /^the object at character 1 .* no complete JSON/
    )
  })

  test("what stands beside it is", () => {
    const other = json({ operator_summary: "thought" })
    expect(heard(`<think>${other}</think>\n${json()}`)).toBe("done")
    expect(heard(`${json()}\n<think>${other}</think>`)).toBe("done")
    expect(heard(`${json()}\n<think>${other}`)).toBe("done")
    expect(heard(`<think>{"a": [</think>${json()}`)).toBe("done")
    expect(heard(`thoughts\n</think>\n${json()}`)).toBe("done")
  })

  test("an outcome may speak of the tags", () => {
    const operator_summary = "the parser knows <think> now, and </thinking>"
    expect(heard(`${json({ operator_summary })} Bye.`)).toBe(operator_summary)
    expect(heard(`<think>hm</think>${json({ operator_summary })}`)).toBe(operator_summary)
  })

  test("a script's output is no model's", () => {
    expect(answerOf(`<think>${json()}`, Option.none())).toBe("done")
  })
})

test("a thought leaves blanks: what stands around it is neither moved nor joined", () => {
  const thought = '<think>{"status":1}</think>'
  expect(withoutThoughts(`ab${thought}cd`, ["status"])).toBe(`ab${"\0".repeat(thought.length)}cd`)
  expect(withoutThoughts("a < think > b", ["status"])).toBe("a < think > b")
})

const MiB = 1024 * 1024
const filled = (piece: string, share: number) =>
  piece.repeat(Math.ceil((MiB * share) / piece.length)).slice(0, MiB * share)

describe("a megabyte of tags takes no more than linear time", () => {
  test.each([
    ["many thoughts", (share: number) => "<think>{</think>".repeat(65_000 * share)],
    ["many openings of one thought", (share: number) => `${filled('<think>{"status":1}', share)}</think>`],
    ["many closings", (share: number) => filled("</think>", share)],
    ["tags in many objects", (share: number) => '{"status":"<think>"}'.repeat(50_000 * share)]
  ])("%s", (_, text) => growsLinearly((share) => expect(heard(`${text(share)}${json()}`)).toBe("done")))
})
