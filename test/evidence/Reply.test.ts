import { describe, expect, test } from "bun:test"
import { Effect, FastCheck, Option, Schema } from "effect"
import { Outcome } from "../../src/domain/Outcome.ts"
import { brokenObject } from "../../src/evidence/BrokenObject.ts"
import { jsonObjects } from "../../src/evidence/JsonObjects.ts"
import { findOutcome, type Reading } from "../../src/evidence/Reply.ts"
import { it } from "../support/effect.ts"
import { growsLinearly } from "../support/growth.ts"

const OK = { status: "completed", operator_summary: "done", machine_status: "ok" }
const json = (more: Record<string, unknown> = {}) => JSON.stringify({ ...OK, ...more })
const reading = (changes: Partial<Reading> = {}): Reading => ({
  signals: [],
  mask: (text) => text,
  prompt: Option.none(),
  ...changes
})
const found = (text: string, signals: ReadonlyArray<string> = []) => {
  const reply = findOutcome(text, reading({ signals }))
  return reply._tag === "Found" ? reply : expect.unreachable(`not found: ${reply.reason}`)
}
const notFound = (text: string, signals: ReadonlyArray<string> = []) => {
  const reply = findOutcome(text, reading({ signals }))
  return reply._tag === "NotFound" ? reply : expect.unreachable(`found: ${reply.outcome.operatorSummary}`)
}

describe("where an outcome stands", () => {
  test.each([
    ["bare", json()],
    ["pretty", JSON.stringify(OK, null, 2)],
    ["fenced", `Here you are:\n\`\`\`json\n${json()}\n\`\`\`\nBye.`],
    ["inside prose", `I did { what } you asked: ${json()}. Fine?`],
    ["after an open brace", `function f() { ${json()}`],
    ["after an open brace and a quote", `he said {"note: ${json()}`],
    ["after an odd quote", `5" screws { and "more {" ${json()}`],
    ["in a wrapper without a status", `{"type":"result","outcome":${json()}}`],
    ["in a list", `[1, ${json()}]`],
    ["after broken JSON", `{"status":"completed", oops ${json()}`],
    ["before broken JSON", `${json()} {"status":"completed", "operator_summary":`],
    ["with escapes in a key", json().replace("status", "st\\u0061tus")]
  ])("%s", (_, text) => {
    expect(found(text).outcome).toMatchObject({
      status: "completed",
      operatorSummary: "done",
      machineStatus: "ok"
    })
  })

  test("braces, quotes and backslashes in strings are text", () => {
    const operator_summary = 'wrote "}" and {"status":"blocked"} and \\ and \\" to C:\\'
    expect(found(`x ${json({ operator_summary })} y`).outcome.operatorSummary).toBe(operator_summary)
  })

  test("the last one that decodes wins", () => {
    const blocked = json({ status: "blocked", machine_status: "blocked" })
    expect(found(`${json()} then ${blocked}`).outcome.status).toBe("blocked")
    expect(found(`${blocked} then ${json()} then {"status":"in_progress"}`).outcome.status).toBe("completed")
  })

  test("what an outcome quotes is not the outcome", () => {
    const quoted = {
      payload: json({ operator_summary: "quoted" }),
      inner: { ...OK, operator_summary: "inner" }
    }
    expect(found(json({ follow_up_tasks: [quoted] })).outcome.operatorSummary).toBe("done")
    expect(notFound(JSON.stringify({ status: "in_progress", copy: OK })).claims).toBe(true)
  })
})

describe("what an outcome is", () => {
  test("missing lists are empty, null is absent, unknown keys are dropped by name", () => {
    const reply = found(
      json({
        file_changes: null,
        workflow_signal: null,
        retry_after_seconds: null,
        question: null,
        mood: "great",
        __proto__x: 1
      })
    )
    expect(reply.outcome).toEqual({
      status: "completed",
      operatorSummary: "done",
      machineStatus: "ok",
      fileChanges: [],
      artifactPaths: [],
      followUpTasks: [],
      externalMessages: []
    })
    expect(reply.diagnostics).toEqual([
      `outcome_keys_dropped: the outcome's unknown keys "mood", "__proto__x" were dropped`
    ])
  })

  test("a question's unknown keys are told as its own", () => {
    const question = { text: "which?", foo: 1, default: "x" }
    expect(found(json({ status: "blocked", question, bar: 2 })).diagnostics).toEqual([
      `outcome_keys_dropped: the outcome's unknown keys "bar", "question.foo" were dropped`
    ])
  })

  test("a question's nulls are absent too", () => {
    const question = { text: "which?", choices: null, expires_at: null, default: null }
    expect(found(json({ status: "blocked", question })).outcome.question).toEqual({
      text: "which?",
      choices: []
    })
  })

  test.each([
    [
      "in_progress is not final",
      { status: "in_progress" },
      /outcome: status: found "in_progress"; expected one of completed, retryable_failure, permanent_failure, blocked$/
    ],
    [
      "an unknown machine status",
      { machine_status: "great" },
      /: machine_status: found "great"; expected one of ok, needs_retry, blocked, failed$/
    ],
    ["a status that is nearly one", { status: "complete" }, /; did you mean `completed`\?$/],
    [
      "a question with choices that are no list",
      { question: { text: "a", choices: "b" } },
      /: question\.choices: found "b"; expected a list, each item text$/
    ],
    ["a summary that is no text", { operator_summary: 5 }, /operator_summary: found 5; expected text$/],
    ["no summary", { operator_summary: undefined }, /operator_summary is missing/],
    ["null where a value is needed", { status: null }, /: status: found null; expected one of completed/],
    ["changes that are no texts", { file_changes: [1] }, /file_changes\[0\]: found 1; expected text$/],
    [
      "a negative wait",
      { retry_after_seconds: -1 },
      /retry_after_seconds: found -1; expected a number of seconds, at least 0$/
    ]
  ])("%s does not decode", (_, more, reason) => {
    const reply = notFound(`prose ${json(more)}`)
    expect(reply.reason).toMatch(reason)
    expect(reply.reason).toStartWith("the object at character 7 of the answer is no outcome: ")
    expect(reply.reason).not.toContain("\n")
    expect(reply.claims).toBe(true)
  })

  test("prose is no outcome, whatever it says", () => {
    expect(notFound("All done! status: completed, machine_status: ok")).toMatchObject({ claims: false })
    expect(notFound("  \n").reason).toBe("the answer is empty")
    expect(notFound('{"stat":1}').reason).toContain("no JSON object with a status")
  })

  test("half a surrogate pair and NUL do not get through", () => {
    const text = json({ operator_summary: "a\\ud800b\\u0000c" }).replaceAll("\\\\", "\\")
    expect(found(text).outcome.operatorSummary).toBe("a\uFFFDb\uFFFDc")
  })
})

describe("signals", () => {
  const SIGNALS = ["continue", "complete", "revise_plan"]
  test.each([
    [{ status: "continue" }, "continue"],
    [{ status: "revise_plan", machine_status: "anything" }, "revise_plan"],
    [{ machine_status: "complete" }, "complete"],
    [{ status: undefined, machine_status: "complete" }, "complete"],
    [{ status: "continue", workflow_signal: "complete" }, "continue"]
  ])("%j reads as completed with %s", (more, signal) => {
    expect(found(json(more), SIGNALS).outcome).toMatchObject({
      status: "completed",
      machineStatus: "ok",
      workflowSignal: signal
    })
  })

  test("are read nowhere else, and never in the place of a status", () => {
    expect(notFound(json({ status: "continue" })).claims).toBe(true)
    expect(notFound(json({ status: "abandon" }), SIGNALS).claims).toBe(true)
    expect(found(json({ status: "blocked" }), ["blocked"]).outcome.status).toBe("blocked")
  })
})

/** What a model that was asked `prompt` says by `text`: the summary of its outcome, or why there is none. */
const heard = (text: string, prompt = "Do it.") => {
  const reply = findOutcome(text, reading({ prompt: Option.some(prompt) }))
  return reply._tag === "Found" ? reply.outcome.operatorSummary : reply.reason
}
const ECHO = "the only outcome in the answer stands in the prompt as well"

describe("a model that repeats its prompt", () => {
  const given = json({ operator_summary: "given" })
  const prompt = `Do this: ${given}. ${JSON.stringify({ payload: { status: "new", inner: OK } }, null, 2)}\nForm: {"status":"<one of 4>"}`

  test.each([
    ["all of it", prompt],
    ["twice", `${prompt}\n${prompt}`],
    ["the object alone", given],
    [
      "an object that stands in an object with a status",
      JSON.stringify(OK, null, 2).replaceAll("\n", "\n    ")
    ]
  ])("has said nothing: %s", (_, text) => {
    expect(heard(text, prompt)).toBe(ECHO)
    expect(heard(text)).not.toBe(ECHO)
  })

  test("has said what it says beside that, before or after", () => {
    const own = json({ operator_summary: "own" })
    expect(heard(`${prompt}\n${own}`, prompt)).toBe("own")
    expect(heard(`${own}\n${prompt}`, prompt)).toBe("own")
  })

  test("is told what is wrong with an object of its own where it repeats no outcome", () => {
    expect(heard('{"status":"<one of 4>"}', prompt)).toContain("the object at character 1")
  })

  test("a script may print what it was given", () => {
    expect(found(given).outcome.operatorSummary).toBe("given")
  })
})

const wire = Schema.encodeSync(Outcome)

it.prop(
  "an outcome is found in any prose around it",
  Schema.Struct({ before: Schema.String, made: Outcome, after: Schema.String }),
  ({ before, made, after }) =>
    Effect.sync(() => {
      const { question: _, ...outcome } = made
      const clean = (text: string) => text.replace(/[{}]/g, "")
      const reply = found(`${before} \n${JSON.stringify(wire(outcome))}\n ${clean(after)}`)
      expect(reply.outcome.status).toBe(outcome.status)
      expect(reply.outcome.machineStatus).toBe(outcome.machineStatus)
      expect(reply.outcome.followUpTasks).toEqual(outcome.followUpTasks)
    })
)

test("every object that is found is valid JSON, and every complete one with the key is found", () => {
  const token = FastCheck.constantFrom(...'{}[]":,\\ ', '"status"', '"a"', "1", "null", '{"status":1}', "x")
  FastCheck.assert(
    FastCheck.property(FastCheck.array(token, { maxLength: 40 }), (tokens) => {
      const text = tokens.join("")
      const objects = jsonObjects(text, ["status"])
      for (const { start, end } of objects)
        expect(Object.hasOwn(JSON.parse(text.slice(start, end)), "status")).toBe(true)
      const inside = (at: number) => objects.some(({ start, end }) => start <= at && at < end)
      for (let start = 0; start < text.length; start++)
        for (let end = start + 1; text[start] === "{" && end <= text.length; end++) {
          if (!isObjectWithStatus(text.slice(start, end)) || inside(start)) continue
          // Only an object in a string of a complete object around it may go unlisted.
          expect(isInsideComplete(text, start, end)).toBe(true)
        }
    }),
    { numRuns: 2_000 }
  )
})

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const isObjectWithStatus = (text: string) => {
  const value = parsed(text)
  return typeof value === "object" && value !== null && Object.hasOwn(value, "status")
}
const isInsideComplete = (text: string, from: number, to: number) => {
  for (let start = 0; start < from; start++)
    for (let end = from + 1; text[start] === "{" && end <= text.length; end++)
      if (parsed(text.slice(start, end)) !== undefined && to > from) return true
  return false
}

test("every outcome that is cut behind its status is known for one, whatever stands in it", () => {
  const text = FastCheck.string({ unit: FastCheck.constantFrom(..."{}[]'\"\\,: \n\0a1é🌍") })
  const more = FastCheck.dictionary(
    FastCheck.constantFrom("a", "b", "c"),
    FastCheck.jsonValue({ maxDepth: 2 })
  )
  FastCheck.assert(
    FastCheck.property(text, more, FastCheck.nat(), (operator_summary, before, at) => {
      const whole = JSON.stringify({
        operator_summary,
        ...before,
        status: "blocked",
        machine_status: "blocked"
      })
      const status = whole.lastIndexOf('"status":') + '"status":'.length
      const cut = whole.slice(0, status + (at % (whole.length - status)))
      expect(findOutcome(`log: ${cut}`, reading())).toMatchObject({ _tag: "NotFound", claims: true })
    }),
    { numRuns: 100 }
  )
})

test("broken objects are sought in linear time in whatever text", () => {
  const token = FastCheck.constantFrom(..."{}'\"\\,: \na", "\\'", "{'", "'status'", '"a":', "{{{{")
  FastCheck.assert(
    FastCheck.property(FastCheck.array(token, { minLength: 1, maxLength: 12 }), (tokens) => {
      growsLinearly((share) => void brokenObject(filled(tokens.join(""), (share * MiB) / 8), ["status"]))
    }),
    { numRuns: 30 }
  )
})

const MiB = 1024 * 1024
const filled = (piece: string, most: number) => piece.repeat(Math.ceil(most / piece.length)).slice(0, most)

describe("a megabyte of hostile text takes no more than linear time", () => {
  const ofPiece =
    (piece: string, before = "") =>
    (most: number) =>
      `${before}${filled(piece, most)}`
  test.each([
    ["open braces", ofPiece("{")],
    ["nested objects", ofPiece('{"status":')],
    ["nested lists", ofPiece("[", '{"status":')],
    ["closed nests", (most: number) => `${filled('{"status":', most / 2)}1${filled("}", most / 20)}`],
    ["quotes and braces", ofPiece('{"')],
    ["both readings of the quotes go on", ofPiece('":":",",', '{"k{')],
    ["open strings with braces", ofPiece("{ ", '{"status":"')],
    ["escaped quotes", ofPiece('\\"{', '{"status":"')],
    ["one long string", ofPiece("a", '{"status":"')],
    ["one long number", ofPiece("1", '{"status":')],
    ["blanks", ofPiece("{          ")],
    ["empty objects", ofPiece("{}")],
    ["quotes that nothing closes", ofPiece(`{"a":'`)],
    ["apostrophes that nothing closes", ofPiece(" '{\\'")],
    ["keys and blanks", ofPiece(`{"a"          `)],
    ["small objects with a status", ofPiece('{"status":1}')],
    ["near misses", ofPiece('{"status":"x","operator_summary":"","machine_status":"y"}')]
  ])("%s", (_, textOf) =>
    growsLinearly((share) => {
      const text = textOf(share * MiB)
      findOutcome(text, reading())
      expect(found(`${text}"}\n${json()}`.slice(-text.length - 100)).outcome.operatorSummary).toBe("done")
    })
  )
})

describe("megabytes of prompt and of answer are heard in linear time", () => {
  const numbered = (count: number) =>
    Array.from({ length: count }, (_, n) => json({ operator_summary: `number ${n}` })).join("\n")
  const own = json({ operator_summary: "own" })
  const many = (share: number) => numbered(30_000 * share)
  test.each([
    ["many different outcomes of the prompt", many, many, ECHO],
    [
      "one outcome of the prompt, many times",
      (share: number) => filled(`${json()}\n`, share * MiB),
      (share: number) => `${filled("x", share * MiB)}${json()}`,
      ECHO
    ],
    ["an own one before some of the prompt", () => `${own}\n${numbered(20)}`, many, "own"],
    [
      "one that is almost in the prompt",
      () => own,
      (share: number) => filled(own.slice(0, -1), share * MiB),
      "own"
    ]
  ])("%s", (_, text, prompt, expected) =>
    growsLinearly((share) => expect(heard(text(share), prompt(share))).toBe(expected))
  )
})
