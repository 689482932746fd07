import { expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"
import { Schema } from "effect"
import { errorOf, inPlace } from "./inPlace.ts"
import { exactly, Id, StatusReport } from "./wire.ts"

setDefaultTimeout(60_000)

const fixture = join(import.meta.dir, "../../fixtures/backlog.json")

/** What `seed-backlog` prints. */
const Seeded = Schema.Struct({
  workflows: Schema.Array(
    Schema.Struct({ created: Schema.Boolean, workflow_id: Schema.Int, instance_key: Schema.String })
  ),
  tasks: Schema.Array(
    Schema.Struct({ created: Schema.Boolean, task_id: Id, kind: Schema.String, source: Schema.String })
  )
})

test("a backlog is made once, whatever has become of its tasks", () =>
  inPlace({}, async (place) => {
    const first = exactly(Seeded, await place.json(["seed-backlog", "--file", fixture]))
    expect([...first.workflows, ...first.tasks].map((one) => one.created)).toEqual([true, true, true])
    expect(exactly(StatusReport, await place.json(["status"])).counts.queued).toBe(3)
    for (const { task_id } of first.tasks) await place.json(["task-cancel", task_id])
    const stdin = await Bun.file(fixture).text()
    const second = exactly(Seeded, await place.json(["seed-backlog", "-"], { stdin }))
    expect(second).toEqual({
      workflows: first.workflows.map((one) => ({ ...one, created: false })),
      tasks: first.tasks.map((one) => ({ ...one, created: false }))
    })
    expect((await place.run(["seed-backlog", "--file", fixture, "-o", "table"])).stdout).toContain(
      "was there"
    )
  }))

test("of one backlog from many processes at once each entry is made once", () =>
  inPlace({}, async (place) => {
    const all = await Promise.all(
      Array.from({ length: 4 }, () => place.json(["seed-backlog", "--file", fixture]))
    )
    const answers = all.map((one) => exactly(Seeded, one))
    const made = answers.flatMap((one) => [...one.workflows, ...one.tasks]).filter((one) => one.created)
    expect(made).toHaveLength(3)
    expect(exactly(StatusReport, await place.json(["status"])).counts.queued).toBe(3)
  }))

test("one wrong entry refuses the whole backlog and names each problem by its entry", () =>
  inPlace({}, async (place) => {
    const good = await Bun.file(fixture).json()
    const bad = {
      workflows: [...good.workflows, { template: "nothing", instance_key: "n" }],
      tasks: [...good.tasks, { kind: "note", source: "s", subject: "x" }]
    }
    const told = await place.run(["seed-backlog", "-o", "json", "--file", "-"], {
      stdin: JSON.stringify(bad)
    })
    expect({ code: told.code, stdout: told.stdout }).toEqual({ code: 2, stdout: "" })
    expect(errorOf(told).error).toContain("workflows[1].template")
    expect(errorOf(told).error).toContain("tasks[2].payload is missing")
    expect(exactly(StatusReport, await place.json(["status"])).counts.queued).toBe(0)
    expect(await place.json(["workflow-list", "--all"])).toEqual({ workflows: [], next: null })
  }))
