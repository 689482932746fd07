import { describe, expect, test } from "bun:test"
import {
  actorWords,
  beginning,
  blockedBecause,
  brief,
  counted,
  detailLine,
  duration,
  moment,
  originWords,
  plainOutput,
  plainReason,
  quoted,
  relative,
  sentence,
  size,
  statusWords,
  taskCount,
  timing,
  title,
  usd,
  waitingWords
} from "../../src/page/Words.ts"

const NOW = Date.parse("2026-04-29T12:00:00.000Z")

test("a task is named by its subject, else its kind; a subject that cannot be seen is none", () => {
  const task = { kind: "note", source: "cli" }
  expect(title({ ...task, subject: "Look" })).toBe("Look")
  for (const subject of [null, "", "\u200b", "\u3164 "]) {
    expect(title({ ...task, subject })).toBe("note")
    expect(originWords({ ...task, subject })).toBe("cli")
  }
})

describe("a stretch of time is told", () => {
  const told: ReadonlyArray<readonly [ms: number, words: string]> = [
    [0, "0 ms"],
    [840, "840 ms"],
    [1_000, "1.0 s"],
    [9_999, "9.9 s"],
    [12_000, "12 s"],
    [252_000, "4 m 12 s"],
    [240_000, "4 m"],
    [3_600_000, "1 h"],
    [97_200_000, "1 d 3 h"],
    [-5, "0 ms"],
    [Number.NaN, "unknown"]
  ]
  for (const [ms, words] of told) test(words, () => expect(duration(ms)).toBe(words))
})

describe("a moment beside now is told", () => {
  const told: ReadonlyArray<readonly [away: number, words: string]> = [
    [0, "now"],
    [-4_999, "now"],
    [-8_400, "8 s ago"],
    [-252_000, "4 m ago"],
    [-7_500_000, "2 h ago"],
    [-90_000_000, "1 d 1 h ago"],
    [-400_000_000, "4 d ago"],
    [5_400_000, "in 1 h"]
  ]
  for (const [away, words] of told) test(words, () => expect(relative(NOW + away, NOW)).toBe(words))
})

test("an exact moment has its day only where it is another one, its year only where that is", () => {
  expect(moment("2026-04-29T07:01:02.003Z", NOW, true)).toBe("07:01:02 UTC")
  expect(moment("2026-04-28T07:01:02.003Z", NOW, true)).toBe("28 Apr 07:01:02 UTC")
  expect(moment("2024-12-01T07:01:02.003Z", NOW, true)).toBe("1 Dec 2024 07:01:02 UTC")
  expect(moment("no time", NOW, true)).toBe("no time")
})

test("figures are told as people read them", () => {
  expect(counted(12_408)).toBe("12,408")
  expect([size(812), size(4_300), size(250_000), size(5 * 1024 ** 3)]).toEqual([
    "812 B",
    "4.2 KiB",
    "244 KiB",
    "5.0 GiB"
  ])
  expect([usd(0), usd(0.0421), usd(3.2)]).toEqual(["$0.00", "$0.042", "$3.20"])
})

test("every status has a word, one that is not known is shown as it is", () => {
  expect(statusWords("blocked")).toEqual(["blocked", "blocked"])
  expect(statusWords("retryable_failure")).toEqual(["waiting", "will retry"])
  expect(statusWords("parked")).toEqual(["waiting", "parked"])
})

test("a reason is told without the words of programs before it", () => {
  expect(plainReason("verification_failed: artifact_missing: the reported artifact is not there")).toBe(
    "The reported artifact is not there"
  )
  expect(plainReason("2 of 2 attempts used up; the last one: exit_error: exit code 3")).toBe(
    "2 of 2 attempts used up; the last one: exit code 3"
  )
  expect(plainReason("The key is missing: add it")).toBe("The key is missing: add it")
})

test("a blocked task is told by its question, else by its error, else by its summary", () => {
  const outcome = {
    status: "blocked",
    operator_summary: "It needs a key.",
    machine_status: "blocked",
    question: { text: "Which pump?" }
  }
  expect(blockedBecause({ outcome, last_error: "reported_blocked: no key" })).toBe("Which pump?")
  expect(blockedBecause({ outcome: null, last_error: "reported_blocked: no key" })).toBe("No key")
  expect(blockedBecause({ outcome: { ...outcome, question: null }, last_error: null })).toBe(
    "It needs a key."
  )
  expect(blockedBecause({ outcome: null, last_error: null })).toBe("No reason was recorded.")
})

test("what a task waits for is told once", () => {
  expect(waitingWords({ reason: "not_due", detail: "it is not due yet" })).toBe("Not due yet")
  expect(
    waitingWords({
      reason: "not_due",
      detail: "it is not due yet; its last attempt: exit_error: exit code 3: no route"
    })
  ).toBe("Not due yet: its last attempt: exit code 3: no route")
  expect(waitingWords({ reason: "concurrency", detail: "2 of 2 attempts are running" })).toBe(
    "2 of 2 attempts are running"
  )
  expect(
    waitingWords({
      reason: "workspace",
      detail:
        "the workspace of adapter local is in use by task 01a22911-342c-7000-b7c6-04140edf664f since 2026-04-29T07:01:02.003Z"
    })
  ).toBe("The workspace of adapter local is in use by task 01a22911-342c since 2026-04-29 07:01 UTC")
  // What the server says in a sentence is not announced by the same words.
  expect(waitingWords({ reason: "cooldown", detail: "adapter cool cools down: HTTP 429" })).toBe(
    "Adapter cool cools down: HTTP 429"
  )
  expect(waitingWords({ reason: "budget", detail: "budget tight of tight: 2 of 2 attempts spent" })).toBe(
    "Budget tight: 2 of 2 attempts spent"
  )
  expect(waitingWords({ reason: "no_dispatcher", detail: "no dispatcher is running" })).toBe(
    "No dispatcher is running"
  )
  expect(waitingWords({ reason: "moon", detail: "it is full" })).toBe("moon: it is full")
})

test("where a task comes from is told without the state and the due time in its source", () => {
  const of = (source: string, subject: string | null = null) => originWords({ kind: "note", source, subject })
  expect(of("workflow:7:plan")).toBe("workflow 7")
  expect(of("schedule:2026-04-29T07:01:02.003Z")).toBe("schedule")
  expect(of("operator", "Look")).toBe("note · operator")
})

test("a dispatcher is named by host and process, anybody else by name", () => {
  expect(actorWords({ name: "vm:10496:2026-04-29T07:01:02.003Z" })).toBe("vm:10496")
  expect(actorWords({ name: "maria" })).toBe("maria")
})

test("a schedule's timing is told", () => {
  expect(timing({ cron: null, interval_seconds: 305, timezone: null })).toBe("every 5 m 5 s")
  expect(timing({ cron: "0 7 * * *", interval_seconds: null, timezone: "Europe/Zurich" })).toBe(
    "each day at 07:00 (Europe/Zurich): 0 7 * * *"
  )
  expect(timing({ cron: null, interval_seconds: 5, timezone: null })).toBe("every 5 s")
  expect(timing({ cron: "0 9-17 * * *", interval_seconds: null, timezone: null })).toBe("cron: 0 9-17 * * *")
})

test("a detail is one line, long values cut, empty ones left out", () => {
  expect(detailLine({ status: "blocked", reason: null, n: 3, list: [1] })).toBe(
    "status blocked · n 3 · list [1]"
  )
  expect(detailLine({ text: "x".repeat(200) }).length).toBeLessThan(170)
  expect(
    detailLine({
      bundle_id: "01a22965-3e1d-7000-923c-db9e54c2575f",
      bundle_hash: "a".repeat(64),
      runner_id: "vm:7:2026-04-29T11:00:00.000Z",
      available_at: "2026-04-29T11:00:00.000Z",
      issues: []
    })
  ).toBe(
    "bundle id 01a22965-3e1d · bundle hash aaaaaaaaaaaa · runner id vm:7 · available at 2026-04-29 11:00 UTC"
  )
})

test("somebody else's words cannot turn those of the page around them", () => {
  expect(quoted("\u202eevil\u2066")).toBe("“evil”")
  expect(sentence("the token is not known")).toBe("The token is not known.")
})

test("output is plain: no escape sequences, no controls, a carriage return begins its line anew", () => {
  expect(plainOutput("\u001b[31mred\u001b[0m\r\n10 %\r100 %\u0007\n\u001b]0;title\u0007tab\tstays")).toBe(
    "red\n100 %\ntab\tstays"
  )
  expect(plainOutput("<b>as it is</b>")).toBe("<b>as it is</b>")
})

test("a count is told in few letters where there is no room", () => {
  expect([0, 7, 9_999, 12_400, 500_000, 2_000_000, 2_500_000, 3e9].map(brief)).toEqual([
    "0",
    "7",
    "9999",
    "12.4 k",
    "500 k",
    "2 M",
    "2.5 M",
    "3 G"
  ])
})

test("all tasks are counted, whatever became of them: where there are fewer, some were removed", () => {
  const counts = {
    queued: 1,
    running: 2,
    completed: 30,
    blocked: 4,
    retryable_failure: 5,
    permanent_failure: 6,
    operator_canceled: 7
  }
  expect(taskCount({ counts })).toBe(55)
})

test("a rate limit does not say in how long it is tried again: that grows old", () => {
  expect(plainReason("rate_limited: rate limited: to be tried again in 600 s, says the outcome: busy")).toBe(
    "Rate limited, says the outcome: busy"
  )
})

test("of a long text the beginning is told, and that it was cut", () => {
  expect(beginning("as it is", 8)).toBe("as it is")
  expect(beginning("more than that", 5)).toBe("more…")
  expect(quoted("x".repeat(5_000))).toHaveLength(163)
})
