import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DateTime, Effect, Either, Option, Schema } from "effect"
import { load } from "../../../layers/config/ConfigFile.ts"
import { WorkflowId } from "../../../src/domain/Ids.ts"
import { Intent } from "../../../src/domain/Task.ts"
import { taskOf } from "../../../src/workflow/Machine.ts"
import { opened, templateOf } from "../../../src/workflow/Templates.ts"
import { fullProfile } from "../../config/samples.ts"

const example = join(import.meta.dir, "../../../config/workflows/weekly-report.json")

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "template-files-"))
  writeFileSync(join(folder, "lumen.json"), JSON.stringify(fullProfile))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Loads a configuration whose `workflows` are these; the paths are those of files in the folder. */
const loaded = (workflows: Readonly<Record<string, string>>) => {
  const path = join(folder, "runtime.json")
  const config = {
    runtimeName: "test",
    runtimePolicy: "Be good.",
    defaultProfile: "lumen",
    defaultAdapter: "local",
    profiles: { lumen: "lumen.json" },
    adapters: { local: { mode: "script", command: "./run.sh" } },
    workflows
  }
  writeFileSync(path, JSON.stringify(config))
  return Effect.runPromise(Effect.either(load(path)))
}

const good = async (workflows: Readonly<Record<string, string>>) =>
  Either.getOrThrowWith(await loaded(workflows), (error) => new Error(error.message))

/** What is told of a template `tidy` that is at fault. */
const told = async (template: unknown): Promise<string> => {
  writeFileSync(join(folder, "tidy.json"), typeof template === "string" ? template : JSON.stringify(template))
  return Either.match(await loaded({ tidy: "tidy.json" }), {
    onLeft: (error) => error.message,
    onRight: () => ""
  })
}

const state = {
  task: { kind: "tidy", payload: { place: "{{context.place}}" } },
  advance_on: { tidy: "tidied" },
  on: { tidied: "end" }
}
const sound = { name: "tidy", initial_state: "tidy", states: { tidy: state, end: {} } }
const withTask = (task: object) => ({
  ...sound,
  states: { ...sound.states, tidy: { ...state, task: { ...state.task, ...task } } }
})

test("the example template loads, and its first task is an intent", async () => {
  const { workflows } = await good({ "weekly-report": example })
  const template = Option.getOrThrow(templateOf("weekly-report", workflows))
  const context = opened(template, { slug: "w17", sources: ["log.md"] }, DateTime.unsafeMake(0), "w17")
  const task = taskOf(template, { id: WorkflowId.make(3), instanceKey: "k", currentState: "gather", context })
  const intent = Schema.decodeUnknownSync(Intent)(Option.getOrThrow(Either.getOrThrow(task)))
  expect(intent).toMatchObject({
    kind: "report-gather",
    source: "workflow:3:gather",
    priority: 5,
    subject: "Gather what happened: the week",
    payload: { sources: ["log.md"], output_path: "reports/w17-notes.md" }
  })
})

test("the example template counts its drafts in numbers, from the first one on", async () => {
  const { workflows } = await good({ "weekly-report": example })
  const template = Option.getOrThrow(templateOf("weekly-report", workflows))
  const drafts = [{}, { draft_number: 2 }].map((counted) => {
    const context = { ...opened(template, { slug: "w17" }, DateTime.unsafeMake(0), "w17"), ...counted }
    const place = { id: WorkflowId.make(3), instanceKey: "k", currentState: "draft", context }
    const intent = Option.getOrThrow(Either.getOrThrow(taskOf(template, place)))
    return Schema.decodeUnknownSync(Intent)(intent).payload.draft_number
  })
  expect(drafts).toEqual([1, 2])
})

test("a template of the user's own takes the place of a built-in one of its name", async () => {
  writeFileSync(join(folder, "goal-loop.json"), JSON.stringify({ ...sound, name: "goal-loop" }))
  const { workflows } = await good({ "goal-loop": "goal-loop.json" })
  expect(Option.getOrThrow(templateOf("goal-loop", workflows)).initial_state).toBe("tidy")
})

test("a sound template has nothing to be told", async () => {
  expect(await told(sound)).toBe("")
  const { payload, ...bare } = state.task
  expect(await told({ ...sound, states: { ...sound.states, tidy: { ...state, task: bare } } })).toBe("")
  for (const available_at of ["2026-04-29T07:01:02Z", "{{context.at}}", "{{context.day}}T07:00:00Z"])
    expect([available_at, await told(withTask({ available_at }))]).toEqual([available_at, ""])
  expect(await told(withTask({ available_at: { $first: ["{{context.at}}", null] } }))).toBe("")
})

describe("a template at fault is told by file, key, what was found and what was expected:", () => {
  for (const [what, template, ...words] of [
    ["a name that is not its id", { ...sound, name: "tidi" }, "name", '"tidi"', "`tidy`"],
    [
      "an unknown key",
      { ...sound, states: { ...sound.states, tidy: { ...state, advance_no: {} } } },
      "states.tidy.advance_no",
      "did you mean `advance_on`?"
    ],
    ["an unknown key of a task", withTask({ prioritty: 3 }), "states.tidy.task.prioritty", "`priority`"],
    ["no states", { name: "tidy", initial_state: "tidy" }, "states is missing"],
    ["a state that is no object", { ...sound, states: { ...sound.states, end: 5 } }, "states.end", "5"],
    ["a priority out of bounds", withTask({ priority: 101 }), "states.tidy.task.priority", "101", "0 to 100"],
    [
      "a priority in words",
      withTask({ priority: "high" }),
      "states.tidy.task.priority",
      '"high"',
      "context.n"
    ],
    [
      "a time that is none",
      withTask({ available_at: "2020" }),
      "states.tidy.task.available_at",
      '"2020"',
      "an ISO 8601 time"
    ],
    [
      "a time beside a delay",
      withTask({ available_at: "2026-04-29T07:01:02Z", schedule: { delay_minutes: 5 } }),
      "states.tidy.task.schedule",
      "one of the two"
    ],
    ["a blank dedupe_key", withTask({ dedupe_key: " " }), "states.tidy.task.dedupe_key", "1 to 500"],
    ["a blank subject", withTask({ subject: "" }), "states.tidy.task.subject", "text of 1 to"],
    [
      "the name of an adapter that is too long",
      withTask({ requested_adapter: "x".repeat(201) }),
      "states.tidy.task.requested_adapter",
      "1 to 200"
    ],
    ["a blank kind", withTask({ kind: " " }), "states.tidy.task.kind", "text of 1 to 200 characters"],
    [
      "a kind by reference",
      withTask({ kind: "{{context.kind}}" }),
      "states.tidy.task.kind",
      "without references"
    ],
    [
      "a reference to nothing",
      withTask({ subject: "{{ctx.place}}" }),
      "states.tidy.task",
      "{{ctx.place}}",
      "{{context.topic}}"
    ],
    [
      "an unknown first state",
      { ...sound, initial_state: "tidi" },
      "initial_state",
      '"tidi"',
      "did you mean `tidy`?"
    ],
    [
      "an unknown target",
      { ...sound, states: { ...sound.states, tidy: { ...state, on: { tidied: "ent" } } } },
      "states.tidy.on.tidied",
      '"ent"',
      "one of its states (tidy, end)",
      "did you mean `end`?"
    ],
    [
      "an unknown signal",
      { ...sound, states: { ...sound.states, tidy: { ...state, advance_on: { tidy: "tidyed" } } } },
      "states.tidy.advance_on.tidy",
      '"tidyed"',
      "did you mean `tidied`?"
    ],
    [
      "a state out of reach",
      { ...sound, states: { ...sound.states, attic: {} } },
      "states.attic",
      "a state that nothing leads to"
    ],
    [
      "a task whose end leads nowhere",
      withTask({ kind: "tidys" }),
      "states.tidy.advance_on",
      '"tidys"',
      "there is `tidy`"
    ],
    [
      "a kind that both goes on and ends",
      { ...sound, states: { ...sound.states, tidy: { ...state, complete_on: ["tidy"] } } },
      "states.tidy.advance_on.tidy",
      "complete_on"
    ],
    ["a count of no signal", { ...sound, counts: { tidid: "n" } }, "counts.tidid", "did you mean `tidied`?"],
    ["broken JSON", '{"name": "tidy",', "tidy.json", "line 1"],
    ["no object", "[]", "tidy.json", "an object in braces"]
  ] as const)
    test(what, async () => {
      const message = await told(template)
      for (const word of [join(folder, "tidy.json"), ...words]) expect(message).toContain(word)
    })

  test("a file that is not there", async () => {
    const error = Either.getOrThrow(Either.flip(await loaded({ tidy: "nowhere.json" })))
    for (const word of ["workflows.tidy", "nowhere.json", "the path of a workflow template file"])
      expect(error.message).toContain(word)
  })

  test("all of it at once, of several files", async () => {
    writeFileSync(join(folder, "other.json"), JSON.stringify({ ...sound, name: "x", initial_state: "y" }))
    writeFileSync(join(folder, "tidy.json"), JSON.stringify({ ...sound, initial_state: "z", counts: 1 }))
    const error = Either.getOrThrow(
      Either.flip(await loaded({ tidy: "tidy.json", other: "other.json", none: "nowhere.json" }))
    )
    const lines = error.message.split("\n")
    for (const [file, key] of [
      ["tidy.json", "counts"],
      ["other.json", "name"],
      ["other.json", "initial_state"],
      ["runtime.json", "workflows.none"]
    ] as const)
      expect(lines.some((line) => line.includes(file) && line.includes(key))).toBe(true)
  })
})

test("the kind of a task is taken wherever a template names it, at its longest too", async () => {
  const named = (kind: string) => ({
    ...sound,
    states: {
      tidy: { task: { kind, payload: {} }, advance_on: { [kind]: "tidied" }, on: { tidied: "swept" } },
      swept: { task: { kind, payload: {} }, complete_on: [kind] }
    }
  })
  expect(await told(named("k".repeat(200)))).toBe("")
  const refused = await told(named("k".repeat(201)))
  expect(refused.split("\n").map((line) => /states\.\w+\.\w+/.exec(line)?.[0])).toEqual([
    "states.tidy.task",
    "states.tidy.advance_on",
    "states.swept.task",
    "states.swept.complete_on"
  ])
})
