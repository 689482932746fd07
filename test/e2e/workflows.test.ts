import { expect, setDefaultTimeout, test } from "bun:test"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { Schema } from "effect"
import type { Place, PlaceOptions } from "../support/binary.ts"
import { claims, errorOf, inPlace, runOnce, scripted, story } from "./inPlace.ts"
import { exactly, Id, RunEvent, Time } from "./wire.ts"

setDefaultTimeout(120_000)

const object = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const orNull = <A, I>(schema: Schema.Schema<A, I>) => Schema.NullOr(schema)

const Workflow = Schema.Struct({
  id: Schema.Int,
  template: Schema.String,
  instance_key: Schema.String,
  current_state: Schema.String,
  context: object,
  status: Schema.Literal("active", "stalled", "completed"),
  stalled_reason: orNull(Schema.String),
  created_at: Time,
  updated_at: Time,
  completed_at: orNull(Time),
  waits_for: orNull(
    Schema.Struct({
      task_id: Id,
      dedupe_key: orNull(Schema.String),
      question: orNull(Schema.String),
      until: orNull(Time)
    })
  )
})
const Shown = Schema.extend(
  Workflow,
  Schema.Struct({ unfinished_task: orNull(Id), history: Schema.Array(RunEvent) })
)
const List = Schema.Struct({ workflows: Schema.Array(Workflow), next: orNull(Schema.String) })
const Created = Schema.Struct({
  created: Schema.Boolean,
  workflow_id: Schema.Int,
  template: Schema.String,
  instance_key: Schema.String,
  state: Schema.String
})

const create = async (place: Place, template: string, key: string, ...more: ReadonlyArray<string>) =>
  exactly(
    Created,
    await place.json(["workflow-create", "--template", template, "--instance_key", key, ...more])
  )

const show = async (place: Place, key: string) =>
  exactly(Shown, await place.json(["workflow-show", "--instance_key", key]))

const list = async (place: Place, ...more: ReadonlyArray<string>) =>
  exactly(List, await place.json(["workflow-list", ...more])).workflows.map((one) => one.instance_key)

/** A command that must be refused, and its one error. */
const refused = async (place: Place, code: number, ...args: ReadonlyArray<string>) => {
  const told = await place.run([...args, "-o", "json"])
  expect([args.join(" ").slice(0, 80), told.code, told.stdout]).toEqual([
    args.join(" ").slice(0, 80),
    code,
    ""
  ])
  return errorOf(told)
}

// Verifies as an agent would: the first iteration is not enough.
const VERIFYING = `
case "$AGENT_RUNTIME_TASK_PAYLOAD_JSON" in
  *'"phase":"verify"'*'"iteration":1'*|*'"iteration":1'*'"phase":"verify"'*)
    echo '${JSON.stringify(claims({ workflow_signal: "continue" }))}' ;;
  *'"phase":"verify"'*) echo '{"status":"complete","operator_summary":"It holds."}' ;;
  *) echo '${JSON.stringify(claims({ operator_summary: "Looked at it." }))}' ;;
esac`

test("a goal loop goes round until its verification says complete, with its artifacts on disk", () =>
  inPlace(scripted(VERIFYING), async (place) => {
    const context = JSON.stringify({ summary: "Quiet the pump", base_name: "pump" })
    const made = await create(place, "goal-loop", "pump", "--context", context)
    expect(made).toEqual({
      created: true,
      workflow_id: 1,
      template: "goal-loop",
      instance_key: "pump",
      state: "plan"
    })
    expect(await create(place, "goal-loop", "pump")).toEqual({ ...made, created: false })
    const sources: Array<string> = []
    for (let cycle = 0; cycle < 5; cycle++) {
      const { unfinished_task } = await show(place, "pump")
      expect(await runOnce(place)).toMatchObject({ status: "completed", task_id: unfinished_task })
      sources.push((await story(place, unfinished_task ?? "")).task.source)
    }
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
    expect(sources).toEqual(
      ["plan", "execute", "verify", "execute", "verify"].map((state) => `workflow:1:${state}`)
    )
    const root = join(place.state, "artifacts")
    expect(await readdir(join(root, "plans"))).toEqual(["pump-plan.md"])
    expect((await readdir(join(root, "reports"))).sort()).toEqual([
      "pump-execute-1.md",
      "pump-execute-2.md",
      "pump-verify-1.md",
      "pump-verify-2.md"
    ])
    expect(await readFile(join(root, "reports/pump-verify-2.md"), "utf8")).toContain("It holds.")
    const end = await show(place, "pump")
    expect(end).toMatchObject({ status: "completed", current_state: "complete", unfinished_task: null })
    expect(end.context).toMatchObject({ execution_iteration: 2, last_workflow_signal: "complete" })
    expect(end.history.at(-1)?.event_type).toBe("workflow_completed")
    expect(await list(place)).toEqual([])
    expect(await list(place, "--all")).toEqual(["pump"])
    const table = await place.run(["workflow-show", "--id", "1", "-o", "table"])
    for (const words of ["pump", "completed", "workflow_transitioned"]) expect(table.stdout).toContain(words)
  }))

for (const [template, states] of [
  ["community-research", 5],
  ["wallet-onboarding", 2]
] as const)
  test(`${template} runs from its first state to its end`, () =>
    inPlace({}, async (place) => {
      await create(place, template, "k", "--context", '{"slug":"basics"}')
      for (let cycle = 0; cycle < states; cycle++)
        expect(await runOnce(place)).toMatchObject({ status: "completed" })
      expect((await show(place, "k")).status).toBe("completed")
      expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
    }))

test("a blocked state stalls its workflow with the reason, and a retry lets it go on", () =>
  inPlace(
    scripted(
      `if [ -e "$AGENT_RUNTIME_STATE_DIR/mended" ]; then echo fine; else echo '${JSON.stringify({ status: "blocked", machine_status: "blocked", operator_summary: "it needs a key" })}'; fi`
    ),
    async (place) => {
      await create(place, "wallet-onboarding", "k")
      for (let round = 0; round < 3; round++)
        expect(await runOnce(place)).toMatchObject({ status: "blocked" })
      expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
      const stalled = await show(place, "k")
      expect([stalled.status, stalled.stalled_reason]).toEqual([
        "stalled",
        "reported_blocked: it needs a key"
      ])
      expect(await list(place)).toEqual(["k"])
      const table = await place.run(["workflow-list", "-o", "table"])
      expect(table.stdout).toContain("it needs a key")
      const { attempts } = await story(place, stalled.unfinished_task ?? "")
      expect(attempts).toHaveLength(3)
      await place.write("state/mended", "")
      await place.json(["task-retry", stalled.unfinished_task ?? ""])
      expect((await show(place, "k")).status).toBe("active")
      await runOnce(place)
      await runOnce(place)
      expect((await show(place, "k")).status).toBe("completed")
    }
  ))

test("operators take a workflow on, cancel its task and end it", () =>
  inPlace({}, async (place) => {
    const { workflow_id } = await create(place, "goal-loop", "k", "--context", '{"summary":"Go"}')
    const first = (await show(place, "k")).unfinished_task ?? ""
    const id = String(workflow_id)
    expect(
      await place.json([
        "workflow-transition",
        "--id",
        id,
        "--state",
        "execute",
        "--context",
        '{"note":"by hand"}'
      ])
    ).toEqual({ transitioned: true, workflow_id, from: "plan", to: "execute" })
    expect((await story(place, first)).task.status).toBe("operator_canceled")
    const moved = await show(place, "k")
    expect([moved.current_state, moved.context.note]).toEqual(["execute", "by hand"])
    await place.json(["task-cancel", moved.unfinished_task ?? ""])
    expect(await show(place, "k")).toMatchObject({ status: "stalled", stalled_reason: "task_canceled" })
    await place.json(["workflow-transition", "--instance_key", "k", "--state", "verify"])
    expect(await show(place, "k")).toMatchObject({ status: "active", current_state: "verify" })
    expect(await place.json(["workflow-complete", "--id", id])).toEqual({
      completed: true,
      workflow_id,
      state: "verify"
    })
    expect(await show(place, "k")).toMatchObject({ status: "completed", unfinished_task: null })
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
  }))

test("wrong input is told with what was probably meant, and nothing is made", () =>
  inPlace({}, async (place) => {
    const make = ["workflow-create", "--instance_key", "k", "--template"]
    const unknown = await refused(place, 2, ...make, "goal-lop")
    expect(`${unknown.error} ${unknown.hint}`).toContain("did you mean `goal-loop`?")
    const state = await refused(place, 2, ...make, "goal-loop", "--state", "plam")
    expect(`${state.error} ${state.hint}`).toContain("did you mean `plan`?")
    expect((await refused(place, 2, ...make, "goal-loop", "--context", "[1]")).error).toContain("--context")
    await refused(place, 2, ...make, "goal-loop", "--context", "{")
    await refused(place, 2, "workflow-show")
    await refused(place, 2, "workflow-show", "--id", "1", "--instance_key", "k")
    for (const args of [
      ["workflow-show", "--id", "7"],
      ["workflow-show", "--instance_key", "nobody"],
      ["workflow-complete", "--id", "7"],
      ["workflow-transition", "--id", "7", "--state", "plan"]
    ])
      expect((await refused(place, 1, ...args)).code).toBe("workflow_not_found")
    expect(await list(place, "--all")).toEqual([])
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
    await create(place, "goal-loop", "pumps")
    expect((await refused(place, 1, "workflow-show", "--instance_key", "pump")).hint).toContain("`pumps`")
    const way = await refused(place, 1, "workflow-transition", "--id", "1", "--state", "exekute")
    expect(way.code).toBe("move_refused")
    expect(way.error).toContain("did you mean `execute`?")
    await place.json(["workflow-complete", "--id", "1"])
    expect((await refused(place, 1, "workflow-complete", "--id", "1")).error).toContain("completed already")
    expect((await refused(place, 1, "workflow-transition", "--id", "1", "--state", "execute")).code).toBe(
      "move_refused"
    )
  }))

const own: PlaceOptions = {
  config: { workflows: { tidy: "tidy.json" } },
  files: {
    "tidy.json": JSON.stringify({
      name: "tidy",
      initial_state: "look",
      states: {
        look: {
          task: { kind: "look", subject: "Look at {{context.place | the desk}}", payload: {} },
          complete_on: ["look"]
        }
      }
    })
  }
}

test("a template of the user's own works like a built-in one, and stalls while it is away", () =>
  inPlace(own, async (place) => {
    const Templates = Schema.Struct({
      templates: Schema.Array(
        Schema.Struct({
          name: Schema.String,
          built_in: Schema.Boolean,
          initial_state: Schema.String,
          states: object,
          mermaid: Schema.String
        })
      )
    })
    const { templates } = exactly(Templates, await place.json(["workflow-templates"]))
    expect(templates.map((one) => [one.name, one.built_in])).toEqual([
      ["community-research", true],
      ["wallet-onboarding", true],
      ["goal-loop", true],
      ["tidy", false]
    ])
    expect((await place.run(["workflow-templates", "--mermaid"])).stdout).toContain("stateDiagram-v2")
    await create(place, "tidy", "a", "--context", '{"place":"<b>attic</b>"}')
    await create(place, "tidy", "b")
    const first = exactly(List, await place.json(["workflow-list", "--limit", "1"]))
    const last = await place.json(["workflow-list", "--limit", "1", "--after", String(first.next)])
    expect(first.workflows.map((one) => one.instance_key)).toEqual(["b"])
    expect(exactly(List, last)).toMatchObject({ workflows: [{ instance_key: "a" }], next: null })
    const table = await place.run(["workflow-list", "--limit", "1", "-o", "table"])
    expect(table.stdout).toContain(String(first.next))
    await refused(place, 2, "workflow-list", "--after", "x")
    const task = (await story(place, (await show(place, "a")).unfinished_task ?? "")).task
    expect(task.subject).toBe("Look at <b>attic</b>")
    expect(await runOnce(place)).toMatchObject({ status: "completed" })
    expect((await show(place, "a")).status).toBe("completed")
    const config = JSON.parse(await readFile(place.path("runtime.json"), "utf8"))
    await place.write("runtime.json", JSON.stringify({ ...config, workflows: {} }))
    expect(await runOnce(place)).toMatchObject({ status: "completed" })
    expect(await show(place, "b")).toMatchObject({
      status: "stalled",
      stalled_reason: "template tidy is not configured"
    })
    await place.write("tidy.json", '{"name":"tidi","initial_state":"look","states":{}}')
    await place.write("runtime.json", JSON.stringify(config))
    const wrong = await refused(place, 2, "workflow-templates")
    expect(wrong.error).toContain("tidy.json")
  }))
