import { describe, expect, test } from "bun:test"
import { DateTime, Either, FastCheck, Option, Schema } from "effect"
import { TaskId, WorkflowId } from "../../src/domain/Ids.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { Intent } from "../../src/domain/Task.ts"
import type { Template } from "../../src/domain/WorkflowTemplate.ts"
import { isEnd, Step, step, TaskEnd, taskOf } from "../../src/workflow/Machine.ts"
import { BUILT_IN, opened, templateOf } from "../../src/workflow/Templates.ts"

const AT = DateTime.unsafeMake("2026-04-29T07:01:02.003Z")
const template = (name: string): Template => Option.getOrThrow(templateOf(name, new Map()))

interface Place {
  readonly currentState: string
  readonly context: JsonObject
}

const begun = (name: string, context: JsonObject): Place => ({
  currentState: template(name).initial_state,
  context: opened(template(name), context, AT, "key")
})

const intentAt = (name: string, place: Place) => {
  const task = Either.getOrThrow(
    taskOf(template(name), { id: WorkflowId.make(7), instanceKey: "k", ...place })
  )
  return Schema.decodeUnknownSync(Intent)(Option.getOrThrow(task))
}

const completed = (kind: string, signal?: string) =>
  TaskEnd.Completed({
    taskId: TaskId.make("t-1"),
    kind,
    at: AT,
    signal: Option.fromNullable(signal)
  })

/** Goes on with completed tasks, a signal for each where the state asks for one; answers states and the last step. */
const walk = (name: string, context: JsonObject, signals: ReadonlyArray<string>) => {
  const given = [...signals]
  const visited: Array<string> = []
  let place = begun(name, context)
  while (true) {
    visited.push(place.currentState)
    const { kind } = intentAt(name, place)
    const asks = template(name).states[place.currentState]?.advance_on?.[kind] === "$signal"
    const next = step(template(name), place, completed(kind, asks ? given.shift() : undefined))
    if (next._tag !== "Advance") return { visited, last: next, context: place.context }
    place = { currentState: next.to, context: next.context }
  }
}

describe("community-research", () => {
  test("goes through its five states to the end", () => {
    const { last, visited } = walk("community-research", { slug: "basics", topic: "fees" }, [])
    expect(visited).toEqual([
      "discover-aibtc-basics",
      "draft-community-wiki-outline",
      "research-wallet-onboarding",
      "draft-wallet-setup-guide",
      "review-and-publish-wiki"
    ])
    expect(last._tag).toBe("Complete")
  })

  test("takes paths from its context, else its defaults", () => {
    const outline = { currentState: "draft-community-wiki-outline" }
    const path = (context: JsonObject) =>
      intentAt("community-research", { ...outline, context }).payload.output_path
    expect(path({ outline_path: "a.md", slug: "b" })).toBe("a.md")
    expect(path({ slug: "b" })).toBe("community-wiki/b-outline.md")
    expect(path({})).toBe("community-wiki/outline.md")
    expect(intentAt("community-research", begun("community-research", {})).payload).toMatchObject({
      focus: "platform-basics",
      output_path: "community-wiki/aibtc-basics.md",
      workflow_id: 7,
      workflow_template: "community-research",
      workflow_state: "discover-aibtc-basics",
      workflow_instance_key: "k"
    })
  })
})

test("wallet-onboarding has its two states write the same checklist", () => {
  const { last, visited } = walk("wallet-onboarding", {}, [])
  expect(visited).toEqual(["research-registration-flow", "draft-wallet-checklist"])
  expect(last._tag).toBe("Complete")
  const paths = visited.map(
    (currentState) => intentAt("wallet-onboarding", { currentState, context: {} }).payload.checklist_path
  )
  expect(new Set(paths)).toEqual(new Set(["community-wiki/lumen-wallet-checklist.md"]))
})

describe("a goal loop", () => {
  const goal = { summary: "Quiet the pump!", scope: ["pump"] }

  test("plans, executes and verifies until it is complete, with artifacts by iteration", () => {
    const { last, visited } = walk("goal-loop", goal, ["continue", "complete"])
    expect(visited).toEqual(["plan", "execute", "verify", "execute", "verify"])
    expect(last).toMatchObject({ _tag: "Complete", state: "complete" })
    const second = Step.$is("Complete")(last) ? last.context : {}
    expect(second).toMatchObject({
      execution_iteration: 2,
      base_name: "20260429-070102-003-375zxu-quiet-the-pump",
      plan_artifact: "plans/20260429-070102-003-375zxu-quiet-the-pump-plan.md",
      last_workflow_signal: "complete",
      last_completed_task_kind: "goal-verify"
    })
    const verify = intentAt("goal-loop", { currentState: "verify", context: second })
    expect(verify.payload).toMatchObject({
      phase: "verify",
      iteration: 2,
      objective: "Quiet the pump!",
      scope: ["pump"],
      implementation_artifact: "reports/20260429-070102-003-375zxu-quiet-the-pump-execute-2.md",
      verification_artifact: "reports/20260429-070102-003-375zxu-quiet-the-pump-verify-2.md",
      required_artifacts: ["reports/20260429-070102-003-375zxu-quiet-the-pump-verify-2.md"],
      accepted_signals: ["continue", "complete", "revise_plan"],
      phase_skills: ["review", "verification", "artifact-reporting"]
    })
    expect(verify.requestedProfile).toBeUndefined()
  })

  test("stalls on a signal that is not accepted, naming those that are", () => {
    for (const signal of [undefined, "in_progress", "constructor"]) {
      const next = step(
        template("goal-loop"),
        { currentState: "verify", context: {} },
        completed("goal-verify", signal)
      )
      expect(next).toMatchObject({ _tag: "Stall" })
      expect(JSON.stringify(next)).toContain("continue, complete, revise_plan")
    }
  })

  test("stalls after max_iterations, whichever way it goes round", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.constantFrom("continue", "revise_plan"), { minLength: 30, maxLength: 30 }),
        FastCheck.integer({ min: 1, max: 12 }),
        (signals, max_iterations) => {
          const { last, visited } = walk("goal-loop", { ...goal, max_iterations }, signals)
          expect(last).toMatchObject({ _tag: "Stall", reason: expect.stringContaining("max_iterations") })
          expect(visited.filter((state) => state === "execute")).toHaveLength(max_iterations)
        }
      )
    )
  })

  test("keeps the number of the iteration when the plan is revised", () => {
    const { context } = walk("goal-loop", goal, ["continue", "revise_plan", "complete"])
    expect(context).toMatchObject({ execution_iteration: 2 })
  })

  test("does not retry a blocked state by itself", () => {
    const blocked = TaskEnd.Failed({ reason: "needs_operator: log in", retries: 0 })
    expect(step(template("goal-loop"), begun("goal-loop", goal), blocked)).toEqual(
      Step.Stall({ reason: "needs_operator: log in" })
    )
  })
})

test("no context makes a loop endless", () => {
  for (const odd of [
    { max_iterations: 1e15 },
    { returns: -1e9, max_iterations: 1_000 },
    { max_iterations: "x" }
  ]) {
    const { last, visited } = walk("goal-loop", { summary: "Go", ...odd }, Array(5_000).fill("continue"))
    expect(last._tag).toBe("Stall")
    expect(visited.filter((state) => state === "execute").length).toBeLessThanOrEqual(1_000)
  }
})

test("a blocked task gets two fresh rounds, then the workflow stalls with its reason", () => {
  const failed = (retries: number) =>
    step(
      template("community-research"),
      begun("community-research", {}),
      TaskEnd.Failed({ reason: "attempts_used_up", retries })
    )
  expect([0, 1, 2].map((retries) => failed(retries)._tag)).toEqual(["Retry", "Retry", "Stall"])
})

test("a canceled task stalls its workflow", () => {
  const canceled = step(template("goal-loop"), begun("goal-loop", {}), TaskEnd.Canceled())
  expect(canceled).toEqual(Step.Stall({ reason: "task_canceled" }))
})

test("every state of the built-in templates has a task that is an intent, or is an end", () => {
  for (const { name, states } of BUILT_IN)
    for (const currentState of Object.keys(states)) {
      if (isEnd(states[currentState])) continue
      const intent = intentAt(name, { ...begun(name, {}), currentState })
      expect(intent.source).toBe(`workflow:7:${currentState}`)
    }
})

test("a step into a state that a shorter way leads to as well is no iteration, one that leads round is", () => {
  const state = (kind: string, on: Readonly<Record<string, string>>) => ({
    task: { kind, payload: {} },
    advance_on: { [kind]: "$signal" },
    on
  })
  const release: Template = {
    name: "release",
    initial_state: "build",
    context: {},
    states: {
      build: state("build", { skip: "publish", check: "review" }),
      review: state("review", { ok: "publish", again: "build" }),
      publish: { task: { kind: "publish", payload: {} }, complete_on: ["publish"] }
    }
  }
  const after = (signal: string) =>
    step(release, { currentState: "review", context: { max_iterations: 1 } }, completed("review", signal))
  const next = after("ok")
  expect(next).toMatchObject({ _tag: "Advance", to: "publish" })
  expect(next).not.toHaveProperty("context.returns")
  expect(after("again")).toMatchObject({ _tag: "Stall" })
})
