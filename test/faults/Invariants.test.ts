import { Database } from "bun:sqlite"
import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MIGRATIONS, migrate } from "../../layers/store/Migrations.ts"
import { wrongIn } from "./Answers.ts"
import { BOUNDS, beyond, beyondDisk } from "./Bounds.ts"
import { leaks, leaksBelow, SECRET } from "./Planted.ts"
import { broken } from "./Rules.ts"

const AT = "2026-01-02T03:04:05.006Z"
const folder = mkdtempSync(join(tmpdir(), "agent-runtime-invariants-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the rules say of a database in which these statements were run. */
const after = (...statements: ReadonlyArray<string>) => {
  const db = new Database(":memory:")
  migrate(db, MIGRATIONS, AT)
  db.run("PRAGMA foreign_keys = OFF")
  for (const index of ["tasks_live_dedupe_key", "tasks_live_workflow_state"]) db.run(`DROP INDEX ${index}`)
  for (const statement of statements) db.run(statement)
  const said = broken(db)
  db.close()
  return said
}

const task = (id: string, more: Readonly<Record<string, string | number>> = {}) => {
  const row: Readonly<Record<string, string | number>> = {
    task_id: id,
    kind: "note",
    source: "s",
    priority: 5,
    payload_json: "{}",
    max_attempts: 3,
    status: "pending",
    created_at: AT,
    updated_at: AT,
    available_at: AT,
    lane: "l",
    created_by_json: "{}",
    ...more
  }
  const values = Object.values(row).map((value) => (typeof value === "number" ? value : `'${value}'`))
  return `INSERT INTO tasks (${Object.keys(row).join(", ")}) VALUES (${values.join(", ")})`
}

describe("the rules between rows find", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    [
      "two unfinished tasks have the dedupe key k",
      [task("a", { dedupe_key: "k" }), task("b", { dedupe_key: "k" })]
    ],
    ["nobody will ever act, its attempts being used up, on task a", [task("a", { attempt_count: 3 })]],
    [
      "more attempts than a round may have were counted or taken back for task a",
      [task("a", { status: "blocked", attempt_count: 4 })]
    ],
    [
      "not exactly one unfinished task has the active workflow 1",
      [
        `INSERT INTO workflows (template, instance_key, current_state, context_json, status, created_by_json, created_at, updated_at) VALUES ('t', 'k', 's', '{}', 'active', '{}', '${AT}', '${AT}')`
      ]
    ],
    [
      "an open question has, without being blocked, task a",
      [
        task("a"),
        `INSERT INTO questions (question_id, task_id, attempt_id, text, choices_json, asked_at) VALUES ('q', 'a', 'x', 't', '[]', '${AT}')`
      ]
    ],
    [
      "an amount is set aside for nobody, or below zero, in budget daily",
      [
        `INSERT INTO budgets (window_start, budget_id, subject, reserved, updated_at) VALUES ('${AT}', 'daily', '', 1, '${AT}')`
      ]
    ],
    [
      "a task that is not completed sent message m",
      [
        task("a"),
        `INSERT INTO outbox (id, task_id, message_json, message_sha256, created_at) VALUES ('m', 'a', '{}', '', '${AT}')`
      ]
    ],
    ["no completed parent has the follow-up b", [task("a"), task("b", { parent_task_id: "a" })]]
  ]
  for (const [says, statements] of cases) test(says, () => expect(after(...statements)).toEqual([says]))

  test("nothing in a sound database", () =>
    expect(after(task("a", { dedupe_key: "k" }), task("b", { dedupe_key: "l" }))).toEqual([]))
})

describe("the planted secret is found", () => {
  const forms: ReadonlyArray<readonly [string, string]> = [
    ["plain", SECRET],
    ["in JSON", JSON.stringify({ a: SECRET })],
    ["in a URL", `https://x/?q=${encodeURIComponent(SECRET)}`],
    [
      "in hexadecimal, in lines",
      Buffer.from(SECRET)
        .toString("hex")
        .replace(/(.{8})/g, "$1\n")
    ],
    ["in base64, behind others", Buffer.from(`user:${SECRET}@host`).toString("base64")]
  ]
  for (const [how, text] of forms) test(how, () => expect(leaks(`before ${text} after`)).toBe(true))

  test("in a file, which is named", () => {
    writeFileSync(join(folder, "quiet"), "nothing")
    writeFileSync(join(folder, "loud"), SECRET)
    expect(leaksBelow(folder)).toEqual(["the secret is in loud"])
    expect(leaks("nothing")).toBe(false)
  })
})

describe("an answer is not as documented when", () => {
  const told = { code: 0, signal: null, stdout: '{"ok":true}\n', stderr: "" }
  const cases: ReadonlyArray<readonly [string, Partial<typeof told>, string]> = [
    ["the code is none of ours", { code: 7 }, "status ended with 7"],
    ["it is no JSON", { stdout: "hello" }, "printed what is no JSON"],
    [
      "it refuses and answers",
      { code: 3, stderr: "agent-runtime: no" },
      "exited 3 and answered all the same"
    ],
    ["it refuses in silence", { code: 3, stdout: "" }, "without saying why"],
    ["it shows a stack", { stderr: "Error: x\n    at run (/a/b.ts:1:2)" }, "told a stack"],
    ["it shows SQL", { stderr: "agent-runtime: SELECT * FROM tasks" }, "told SQL"],
    ["it shows the secret", { stderr: SECRET }, "told the secret"]
  ]
  for (const [what, change, says] of cases)
    test(what, () => expect(wrongIn(["status"], { ...told, ...change }, false).join("\n")).toContain(says))

  test("nothing of this is so", () => expect(wrongIn(["status"], told, false)).toEqual([]))
})

test("what goes beyond its bounds is told with the figure", () => {
  expect(beyond({ memoryMib: 1, descriptors: 1 })).toEqual([])
  expect(beyond({ memoryMib: BOUNDS.memoryMib + 1, descriptors: BOUNDS.descriptors + 1 })).toHaveLength(2)
  writeFileSync(join(folder, "large"), Buffer.alloc((BOUNDS.idleMib + 2) * 1_048_576))
  expect(beyondDisk(folder, 0)[0]).toContain("the state folder takes")
  expect(beyondDisk(folder, 1)).toEqual([])
})
