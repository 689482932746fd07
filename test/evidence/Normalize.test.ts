import { describe, expect, test } from "bun:test"
import { noSecrets, redactorOf } from "../../src/domain/Redactor.ts"
import { normalise as normaliseOf } from "../../src/evidence/Normalize.ts"

type Given = Parameters<typeof normaliseOf>
const normalise = (
  mode: Given[0],
  task: Given[1],
  execution: Omit<Given[2], "answerCut"> & { readonly answerCut?: boolean },
  prompt = "Do it."
) => normaliseOf(mode, task, { answerCut: false, ...execution }, prompt)

const redactor = noSecrets
const task = (kind = "operator", payload = {}) => ({ kind, payload })
const outcome = JSON.stringify({
  status: "blocked",
  operator_summary: "no key",
  machine_status: "blocked",
  x: 1
})

describe("a script", () => {
  const script = (lastMessage: string, exitStatus: "ok" | "error" = "ok") =>
    normalise("script", task(), { exitStatus, lastMessage, redactor })

  test("that prints plain text and exits 0 has completed with that text", () => {
    expect(script("  all\nfine\n")).toMatchObject({
      _tag: "Decoded",
      outcome: { status: "completed", machineStatus: "ok", operatorSummary: "all\nfine" }
    })
  })

  test("that prints nothing has a summary that says so", () => {
    expect(script(" \n")).toMatchObject({
      outcome: { operatorSummary: "The script ended with exit code 0 and printed nothing." }
    })
  })

  test("that prints much has a summary of 4,000 characters with a mark", () => {
    const found = script(`a${"b".repeat(10_000)}`)
    expect(found).toMatchObject({
      outcome: { operatorSummary: `a${"b".repeat(3_999)}\n… (6,001 more characters in stdout.log)` }
    })
  })

  test("that prints colours and control characters has a legible summary", () => {
    expect(script("\u001b[1;31mred\u001b[0m\u0007\0 \ud800text\twith tab")).toMatchObject({
      outcome: { operatorSummary: "red \uFFFDtext\twith tab" }
    })
  })

  test("that prints an outcome is taken at its word", () => {
    expect(script(`log line\n${outcome}`)).toMatchObject({
      outcome: { status: "blocked" },
      diagnostics: [`outcome_keys_dropped: the outcome's unknown keys "x" were dropped`]
    })
  })

  test("that prints an object with a status which is no outcome is undecodable", () => {
    expect(script('{"status":"in_progress"}')).toMatchObject({ _tag: "Undecodable" })
    expect(script('{"stat":"in_progress"}')).toMatchObject({ _tag: "Decoded" })
  })

  test.each([
    ["a number that JSON does not know", `${outcome.slice(0, -1)},"retry_after_seconds":NaN}`],
    ["a comma too many", `${outcome.slice(0, -1)},}`],
    ["its end cut off", `step 1 done\n${outcome.slice(0, 40)}`],
    [
      "a Python dict",
      "{'status': 'blocked', 'operator_summary': \"it's late\", 'machine_status': 'blocked'}"
    ],
    [
      "a status behind other keys",
      `{"operator_summary": "a } in it, and {",\n "status": "blocked", "x": None}`
    ],
    ["a line that breaks in a text", `{"operator_summary":"one,\ntwo, three","status":"blocked"}`],
    ["prose with braces and apostrophes before it", `it's {odd, don't\n} {"a": {"status":"blocked","n":+1}}`]
  ])("that prints a broken object with a status is undecodable: %s", (_, text) => {
    const found = script(text)
    expect(found).toMatchObject({
      _tag: "Undecodable",
      reason: expect.stringMatching(/^the object at character \d+ of the answer is no complete JSON: /)
    })
  })

  test.each([
    ["prose", 'The "status": fine. Keys such as {a}, "status": none.'],
    ["a log", '12:00 [info] job {id=1} "status": 200, {"level":"info","text":"the \\"status\\": {ok"}'],
    ["code", `switch (x) { case "status": return 1 }\nif (a) { log(b, "status"); c ? "status" : d }`],
    ["code that names keys", `const x = { status: "ok" }; f({ a, b: y["status"] })`],
    ["a text in an object", `{"text":"{'status': 'blocked'}"} {'text': '{"status": 1'}`],
    ["another key", `{"status_code": 200, "stat": NaN`],
    ["an object without a key in it", `{}, "status": 1`]
  ])("that prints no object with a status has completed: %s", (_, text) => {
    expect(script(text)).toMatchObject({ _tag: "Decoded", outcome: { operatorSummary: text } })
  })

  test("that fails has no outcome in its plain text", () => {
    expect(script("all fine", "error")).toMatchObject({ _tag: "Undecodable" })
    expect(script(outcome, "error")).toMatchObject({ outcome: { status: "blocked" } })
  })
})

describe("a script whose output was cut behind a status", () => {
  const cut = (lastMessage: string) =>
    normalise("script", task(), { exitStatus: "ok", lastMessage, redactor, answerCut: true })

  test("has completed nothing by the text that is left", () => {
    expect(cut("all fine")).toEqual({
      _tag: "Undecodable",
      reason: "only the last 1 MiB of the output is read; an object with a status may stand before it"
    })
  })

  test("is taken at the word of an outcome in what is left", () => {
    expect(cut(`log\n${outcome}\nbye`)).toMatchObject({ outcome: { status: "blocked" } })
  })

  test("is told what is wrong with an object that is left", () => {
    expect(cut('{"status":"in_progress"}')).toMatchObject({
      reason: expect.stringContaining("the object at character 1 of the answer is no outcome")
    })
  })
})

test("a script may print what stands in its prompt, and thoughts", () => {
  const said = (lastMessage: string) =>
    normalise("script", task(), { exitStatus: "ok", lastMessage, redactor }, `Do ${outcome}`)
  expect(said(outcome)).toMatchObject({ outcome: { status: "blocked" } })
  expect(said(`<think>${outcome}</think>`)).toMatchObject({ outcome: { status: "blocked" } })
})

describe.each(["agent-cli", "ollama-generate", "openai-chat"] as const)("%s", (mode) => {
  test("must answer with an outcome", () => {
    expect(normalise(mode, task(), { exitStatus: "ok", lastMessage: "I am done!", redactor })).toEqual({
      _tag: "Undecodable",
      reason: "no JSON object with a status stands in the 10 characters of the answer"
    })
    expect(normalise(mode, task(), { exitStatus: "ok", lastMessage: outcome, redactor })._tag).toBe("Decoded")
  })

  test("answers neither with its prompt nor with a thought", () => {
    const prompt = `Do ${outcome}`
    expect(normalise(mode, task(), { exitStatus: "ok", lastMessage: prompt, redactor }, prompt)).toEqual({
      _tag: "Undecodable",
      reason: "the only outcome in the answer stands in the prompt as well"
    })
    const lastMessage = `<think>${outcome}</think> Done.`
    expect(normalise(mode, task(), { exitStatus: "ok", lastMessage, redactor })._tag).toBe("Undecodable")
  })
})

test("signals are read for goal-verify and its own list only", () => {
  const lastMessage = JSON.stringify({
    status: "continue",
    operator_summary: "more to do",
    machine_status: "ok"
  })
  const read = (kind: string, payload: Record<string, unknown>) =>
    normalise("agent-cli", task(kind, payload), { exitStatus: "ok", lastMessage, redactor })
  expect(read("goal-verify", { accepted_signals: ["continue"] })).toMatchObject({
    outcome: { status: "completed", machineStatus: "ok", workflowSignal: "continue" }
  })
  expect(read("goal-verify", { accepted_signals: ["complete", 5] })._tag).toBe("Undecodable")
  expect(read("goal-verify", { accepted_signals: "continue" })._tag).toBe("Undecodable")
  expect(read("goal-execute", { accepted_signals: ["continue"] })._tag).toBe("Undecodable")
})

describe("a secret", () => {
  const secret = "hunter22-hunter22"
  const script = (lastMessage: string) =>
    normalise("script", task(), { exitStatus: "ok", lastMessage, redactor: redactorOf([secret]) })

  test("is masked in a summary before the text is cut", () => {
    const text = JSON.stringify(script(`${"a".repeat(3_990)}${secret}${"b".repeat(100)}`))
    expect(text).toContain("[redacted]")
    expect(text).not.toContain("hunter22")
  })

  test("is masked in what is said of an answer that is no outcome, and in the names of dropped keys", () => {
    const refused = JSON.stringify(script(JSON.stringify({ status: `${"x".repeat(300)}${secret}` })))
    expect(refused).toContain("is no outcome")
    expect(refused).not.toContain("hunter")
    const dropped = JSON.stringify(
      script(JSON.stringify({ ...JSON.parse(outcome), [`${"k".repeat(50)}${secret}`]: 1 }))
    )
    expect(dropped).toContain("outcome_keys_dropped")
    expect(dropped).not.toContain("hunter")
  })

  test("stands in a found outcome as it came, for the verification", () => {
    const path = `reports/${secret}.md`
    const found = script(JSON.stringify({ ...JSON.parse(outcome), artifact_paths: [path] }))
    expect(found).toMatchObject({ outcome: { artifactPaths: [path] } })
  })
})
