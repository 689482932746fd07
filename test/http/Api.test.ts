import { describe, expect } from "bun:test"
import { Effect, type Layer, Option, Schema, type Scope } from "effect"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import { Audit } from "../../src/artifact/AuditFolder.ts"
import { runOnce } from "../../src/dispatch/RunOnce.ts"
import { AttemptId, TaskId } from "../../src/domain/Ids.ts"
import { cursorOf } from "../../src/store/Cursor.ts"
import { Store } from "../../src/store/Store.ts"
import { attemptsOf, queue, taskOf } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { fillWithOperators } from "../support/operators.ts"
import { api, apiWorld, type Given, problemIn, type Told } from "./api.ts"

type Api = Effect.Effect.Success<ReturnType<typeof api>>
type World = Layer.Layer.Success<ReturnType<typeof apiWorld>>

const within = <E, R extends World | Scope.Scope>(
  body: (api: Api) => Effect.Effect<unknown, E, R>,
  given: Given = {}
) => Effect.flatMap(api(given), body).pipe(Effect.scoped, Effect.provide(apiWorld(given)))

const failed = ({ json, status }: Told) => [status, problemIn(json).code]

const Page = Schema.Struct({
  tasks: Schema.Array(Schema.Struct({ task_id: TaskId, subject: Schema.NullOr(Schema.String) })),
  next: Schema.NullOr(Schema.String),
  partial: Schema.optional(Schema.Boolean)
})
const pageIn = ({ json }: Told) => Schema.decodeUnknownSync(Page)(json)
const queuedIn = ({ json }: Told) =>
  Schema.decodeUnknownSync(Schema.Struct({ task_id: TaskId }))(json).task_id

describe("a message of an operator", () => {
  it.effect("becomes a task whose payload is the message, its skills and what it answers", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const first = queuedIn(yield* ask("/api/tasks/queue", { body: { message: "look" } }))
        const told = yield* ask("/api/tasks/queue", {
          body: {
            message: "  Please /review this,\nsee /etc/passwd and https://x.example/y (/tidy-up).",
            skill_refs: ["plan"],
            parent_id: first,
            priority: 9
          }
        })
        expect(told.status).toBe(201)
        expect(told.json).toEqual({
          ok: true,
          task_id: queuedIn(told),
          kind: "operator",
          source: "operator-ui"
        })
        const task = yield* taskOf(queuedIn(told))
        expect(task).toMatchObject({ priority: 9, untrusted: false })
        expect(task.payload).toEqual({
          message: "  Please /review this,\nsee /etc/passwd and https://x.example/y (/tidy-up).",
          skill_refs: ["plan", "review", "tidy-up"],
          parent_id: first
        })
        const story = yield* ask(`/api/tasks/${first}`)
        expect(story.json).toMatchObject({
          task: { task_id: first },
          children: [{ subject: "Please /review this,", parent_task_id: first }],
          waiting: { reason: "priority" }
        })
      })
    )
  )

  it.effect("is refused with everything that is wrong with it", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const told = yield* ask("/api/tasks/queue", { body: { mesage: 1, priority: 101, max_attempts: 0 } })
        expect(failed(told)).toEqual([400, "input_invalid"])
        const { error } = problemIn(told.json)
        for (const word of ["mesage", "message is missing", "priority", "max_attempts"])
          expect(error).toContain(word)
        const odd = yield* ask("/api/tasks/queue", { body: { message: "a\0", subject: "\ud800" } })
        for (const line of [
          "message: it holds a NUL character",
          "subject: it holds half of a surrogate pair"
        ])
          expect(problemIn(odd.json).error).toContain(line)
        expect(problemIn((yield* ask("/api/tasks/0000")).json).error).toBe(
          "there is no task 0000; a beginning of an id is taken from 8 characters on"
        )
        const gone = yield* ask("/api/tasks/queue", { body: { message: "x", parent_id: "nobody" } })
        expect([gone.status, problemIn(gone.json).error]).toEqual([
          400,
          'parent_id: found "nobody"; expected the id of a task; leave it out, or name a task that is there'
        ])
      })
    )
  )

  it.effect("is as long as fits into a body of 64 KiB", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const most = 64 * 1_024 - JSON.stringify({ message: "" }).length
        const sent = (length: number) => ask("/api/tasks/queue", { body: { message: "x".repeat(length) } })
        expect((yield* sent(most)).status).toBe(201)
        expect(failed(yield* sent(most + 1))).toEqual([413, "body_too_large"])
      })
    )
  )

  it.effect("is taken while fewer than a thousand are unfinished, then refused for a while", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        yield* fillWithOperators
        expect((yield* ask("/api/tasks/queue", { body: { message: "the last" } })).status).toBe(201)
        const told = yield* ask("/api/tasks/queue", { body: { message: "too many" } })
        expect([...failed(told), told.headers.get("retry-after")]).toEqual([
          429,
          "too_many_operator_tasks",
          "60"
        ])
        expect((yield* ask("/api/state")).json).toMatchObject({ counts: { queued: 1_000 } })
        const said = problemIn(told.json).error
        expect(said).toBe(
          "1,000 tasks of operators (source operator-ui) are not finished; no more are taken until some are"
        )
        // Nor by any other way in, and nothing of what came with it is kept.
        const intent = { kind: "operator", source: "operator-ui", payload: {}, dedupe_key: "k" }
        const report = { sensor_id: "s", event_id: "1", source_ref: "r", dedupe_key: "d", payload: {} }
        for (const [path, body] of [
          ["/api/tasks", intent],
          ["/api/sensors/events", { ...report, proposed_task: intent }]
        ] as const) {
          const refused = yield* ask(path, { body })
          expect([path, ...failed(refused), problemIn(refused.json).error]).toEqual([
            path,
            429,
            "too_many_operator_tasks",
            said
          ])
        }
        expect((yield* ask("/api/sensors/events")).json).toEqual({ events: [], next: null })
        expect((yield* ask("/api/state")).json).toMatchObject({ counts: { queued: 1_000 } })
        expect((yield* ask("/api/tasks", { body: { ...intent, source: "else" } })).status).toBe(201)
        // A repeat of one that is there adds none.
        const again = yield* ask("/api/tasks", { body: { ...intent, source: "else" } })
        expect([again.status, Object(again.json).queued]).toEqual([200, false])
        expect((yield* ask("/api/tasks", { body: intent })).status).toBe(200)
      })
    )
  )
})

describe("tasks", () => {
  it.effect(
    "come newest first, a page at a time, with what their outcomes say and long payloads shortened",
    () =>
      within(({ ask }) =>
        Effect.gen(function* () {
          for (let n = 0; n < 5; n++)
            yield* queue({ subject: `task ${n}`, payload: { text: "x".repeat(n * 1_000) } })
          yield* runOnce
          const first = yield* ask("/api/tasks?limit=2")
          expect(first.json).toMatchObject({
            tasks: [{ payload: { shortened: true, characters: 4_011 } }, { payload: { shortened: true } }]
          })
          const second = yield* ask(`/api/tasks?limit=2&after=${pageIn(first).next}`)
          const third = yield* ask(`/api/tasks?limit=2&after=${pageIn(second).next}`)
          expect(
            [first, second, third].flatMap((told) => pageIn(told).tasks.map(({ subject }) => subject))
          ).toEqual(["task 4", "task 3", "task 2", "task 1", "task 0"])
          expect(pageIn(third).next).toBeNull()
          expect((yield* ask("/api/tasks?status=completed,blocked&status=running")).json).toMatchObject({
            tasks: [
              { subject: "task 0", operator_summary: "hello", machine_status: "ok", payload: { text: "" } }
            ]
          })
          expect(failed(yield* ask("/api/tasks?after=nonsense"))).toEqual([400, "input_invalid"])
          for (const forged of [
            ["2026", "x"],
            ["words", "2026", "x"]
          ].map(cursorOf))
            for (const list of ["tasks", "done"])
              expect(failed(yield* ask(`/api/${list}?after=${forged}`))).toEqual([400, "bad_cursor"])
          expect(failed(yield* ask(`/api/tasks?q=a&after=${cursorOf(["ids", "x"])}`))).toEqual([
            400,
            "bad_cursor"
          ])
          for (const list of ["outbox", "questions"])
            expect(failed(yield* ask(`/api/${list}?after=${cursorOf([list, "x"])}`))).toEqual([
              400,
              "bad_cursor"
            ])
          const found = pageIn(yield* ask("/api/tasks?q=task&limit=1"))
          expect(failed(yield* ask(`/api/tasks?after=${found.next}`))).toEqual([400, "bad_cursor"])
          const { error } = problemIn((yield* ask("/api/tasks?limit=501&status=foo&after=zzz&x=1")).json)
          for (const word of ["limit: ", "status: ", "after: ", "x is not a known parameter"])
            expect(error).toContain(word)
          expect(error.split("\n")).toHaveLength(4)
          const wrong = yield* ask("/api/tasks?limit=0&status=done&colour=red")
          expect(wrong.status).toBe(400)
          expect(problemIn(wrong.json).error.split("\n")).toHaveLength(3)
        })
      )
  )

  it.effect("are found by the beginning of their id and by words, page by page, whatever else is there", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const story = yield* queue({
          kind: "github-story",
          source: "github-bridge",
          subject: "Merge of Übersicht"
        })
        const other = yield* queue({ kind: "note", source: "test", subject: "a story of its own, 100% done" })
        for (let n = 0; n < 3; n++) yield* queue({ subject: `filler ${n}` })
        const found = (q: string, more = "") =>
          Effect.map(ask(`/api/tasks?q=${encodeURIComponent(q)}${more}`), (told) =>
            pageIn(told).tasks.map(({ task_id }) => task_id)
          )
        expect(yield* found("story")).toEqual([other, story])
        expect(yield* found("STORY git")).toEqual([story])
        expect(yield* found("übers")).toEqual([story])
        expect(yield* found("tory")).toEqual([])
        expect(yield* found("100%")).toEqual([other])
        expect(yield* found("story", "&kind=note")).toEqual([other])
        expect(yield* found(story)).toEqual([story])
        expect(yield* found("'; DROP TABLE tasks; --")).toEqual([])
        const first = pageIn(yield* ask("/api/tasks?q=filler&limit=2"))
        expect([first.tasks.length, first.partial]).toEqual([2, undefined])
        const rest = pageIn(yield* ask(`/api/tasks?q=filler&limit=2&after=${first.next}`))
        expect(rest.tasks.map(({ subject }) => subject)).toEqual(["filler 0"])
        expect(rest.next).toBeNull()
      })
    )
  )

  it.effect("are moved as on the command line, and refused with 409 or 404", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const id = yield* queue()
        expect(failed(yield* ask(`/api/tasks/${id}/retry`, { body: {} }))).toEqual([409, "move_refused"])
        const canceled = yield* ask(`/api/tasks/${id}/cancel`, { body: { reason: "no more" } })
        expect(canceled.json).toEqual({ ok: true, task_id: id, status: "operator_canceled" })
        expect(failed(yield* ask(`/api/tasks/${id}/cancel`, { method: "POST" }))).toEqual([
          409,
          "move_refused"
        ])
        expect((yield* ask(`/api/tasks/${id}/retry`, { method: "POST" })).json).toMatchObject({
          status: "pending"
        })
        for (const path of [
          "/api/tasks/nobody",
          "/api/tasks/%F0%9F%92%A5",
          `/api/tasks/${"x".repeat(3_000)}`
        ])
          expect(failed(yield* ask(path))).toEqual([404, "task_not_found"])
        expect(failed(yield* ask("/api/tasks/nobody/cancel", { body: {} }))).toEqual([404, "task_not_found"])
        yield* runOnce
        const again = yield* ask(`/api/tasks/${id}/replay`, { method: "POST" })
        expect([again.status, again.json]).toMatchObject([201, { ok: true, status: "pending" }])
        const intent = { kind: "a", source: "b", payload: {}, dedupe_key: "k" }
        const both = [yield* ask("/api/tasks", { body: intent }), yield* ask("/api/tasks", { body: intent })]
        expect(both.map(({ json, status }) => [status, json])).toMatchObject([
          [201, { queued: true }],
          [200, { queued: false }]
        ])
      })
    )
  )
})

describe("moves of many", () => {
  it.effect("are counted before, then made, and refused without a filter", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        yield* Effect.replicateEffect(queue({ kind: "many" }), 3)
        yield* queue({ kind: "other" })
        const filter = { kind: "many", status: ["pending", "blocked"] }
        const counted = yield* ask("/api/tasks/cancel", { body: { filter, dry_run: true } })
        expect(counted.json).toMatchObject({ matched: 3, moved: 0, refused: 0, dry_run: true })
        const made = yield* ask("/api/tasks/cancel", { body: { filter, reason: "too many" } })
        expect(made.json).toMatchObject({ matched: 3, moved: 3, refused: 0 })
        expect((yield* ask("/api/state")).json).toMatchObject({ counts: { queued: 1, operator_canceled: 3 } })
        const again = yield* ask("/api/tasks/retry", { body: { filter: { status: "operator_canceled" } } })
        expect(again.json).toMatchObject({ matched: 3, moved: 3 })
        expect(failed(yield* ask("/api/tasks/cancel", { body: { filter: {} } }))).toEqual([
          400,
          "filter_empty"
        ])
        expect(failed(yield* ask("/api/tasks/retry", { body: {} }))).toEqual([400, "input_invalid"])
        expect(failed(yield* ask("/api/tasks/cancel"))).toEqual([405, "method_not_allowed"])
      })
    )
  )
})

describe("a request that cannot be answered", () => {
  it.effect("is told why, in one form", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const wrongMethod = yield* ask("/api/tasks/queue", { method: "DELETE" })
        expect([...failed(wrongMethod), wrongMethod.headers.get("allow")]).toEqual([
          405,
          "method_not_allowed",
          "POST, OPTIONS"
        ])
        expect((yield* ask("/api/state", { method: "PUT" })).headers.get("allow")).toBe("GET, HEAD, OPTIONS")
        expect(failed(yield* ask("/api/nothing"))).toEqual([404, "route_not_found"])
        const text = { headers: { "content-type": "text/plain" }, body: "{}" }
        expect(failed(yield* ask("/api/pause", text))).toEqual([415, "content_type_unsupported"])
        for (const body of [
          "{",
          '{"paused":true,"paused":false}',
          '{"__proto__":1}',
          "[1]",
          '"x"',
          "null",
          "{}"
        ])
          expect([body, ...failed(yield* ask("/api/pause", { body }))]).toEqual([body, 400, "input_invalid"])
        const large = { message: "x".repeat(64 * 1_024) }
        expect(failed(yield* ask("/api/tasks/queue", { body: large }))).toEqual([413, "body_too_large"])
        const huge = { kind: "a", source: "b", payload: { x: "x".repeat(1_024 * 1_024) } }
        expect(failed(yield* ask("/api/tasks", { body: huge }))).toEqual([413, "body_too_large"])
        // A body that does not say how long it is.
        const untold = {
          ...text,
          headers: {
            "content-type": "application/json",
            "content-length": "0",
            "transfer-encoding": "chunked"
          }
        }
        expect(failed(yield* ask("/api/tasks/queue", { ...untold, body: JSON.stringify(large) }))).toEqual([
          413,
          "body_too_large"
        ])
      })
    )
  )
})

describe("artifacts", () => {
  it.effect("are listed and shown; what leads out of their root is refused by every spelling", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const files = yield* MemoryFiles
        yield* files.put("notes/a.md", "# <b>A</b>", 1_000)
        yield* files.put("notes/deep/b.bin", "a\0b")
        expect((yield* ask("/api/artifacts")).json).toMatchObject({
          path: "",
          type: "folder",
          entries: [{ name: "notes", path: "notes", type: "folder" }]
        })
        expect((yield* ask("/api/artifacts?path=notes/./deep/..")).json).toMatchObject({
          path: "notes",
          entries: [
            {
              name: "a.md",
              path: "notes/a.md",
              type: "file",
              size: 10,
              updated_at: "1970-01-01T00:00:01.000Z"
            },
            { name: "deep", path: "notes/deep", type: "folder" }
          ]
        })
        expect((yield* ask("/api/artifact?path=notes/a.md")).json).toEqual({
          path: "notes/a.md",
          size: 10,
          updated_at: "1970-01-01T00:00:01.000Z",
          content_type: "text/markdown",
          content: "# <b>A</b>"
        })
        expect((yield* ask("/api/artifact?path=notes/deep/b.bin")).json).toMatchObject({
          content_type: "application/octet-stream",
          content: null
        })
        expect((yield* ask("/artifacts?path=notes/a.md")).text).toContain('\n  "content": "# <b>A</b>"')
        for (const path of ["nope", "notes", "notes/a.md/x"])
          expect(failed(yield* ask(`/api/artifact?path=${path}`))).toEqual([404, "artifact_not_found"])
        const outside = [
          "..",
          "../x",
          "notes/../../x",
          "/etc/passwd",
          "//etc/passwd",
          "..\\x",
          "a\0b",
          "notes/..%2f..%2f../x",
          "/memory/artifacts/../runtime.db"
        ]
        for (const path of outside)
          for (const route of ["/api/artifact", "/api/artifacts", "/artifacts"]) {
            const told = yield* ask(`${route}?path=${encodeURIComponent(path)}`)
            expect([path, route, told.status === 403 || told.status === 404]).toEqual([path, route, true])
            expect(told.text.replace(JSON.stringify(path).slice(1, -1), "")).not.toContain("/memory")
          }
      })
    )
  )

  it.effect("that hold a secret value are shown to nobody", () =>
    within(
      ({ ask }) =>
        Effect.gen(function* () {
          const files = yield* MemoryFiles
          yield* files.put("leak.md", `key: ${Buffer.from("hunter2-hunter2").toString("base64")}`)
          const told = yield* ask("/api/artifact?path=leak.md")
          expect(failed(told)).toEqual([403, "secret_in_artifact"])
          yield* files.put("names/hunter2-hunter2.md", "x")
          const listed = yield* ask("/api/artifacts?path=names")
          expect(listed.text).toContain("names/[redacted].md")
          const named = yield* ask("/api/artifact?path=names/hunter2-hunter2.md")
          expect(failed(named)).toEqual([403, "secret_in_artifact"])
          expect(failed(yield* ask("/api/artifacts?path=hunter2-hunter2"))[0]).toBe(403)
          const taken = yield* ask("/api/snapshots", { method: "POST", body: {} })
          for (const { text } of [told, listed, named, taken]) expect(text).not.toContain("hunter2")
        }),
      { secrets: ["hunter2-hunter2"] }
    )
  )
})

describe("an attempt's output", () => {
  const written = Effect.gen(function* () {
    const id = yield* queue()
    yield* runOnce
    const [attempt] = yield* attemptsOf(id)
    const attemptId = AttemptId.make(attempt?.attemptId ?? "")
    const folder = yield* (yield* Audit).open(id, attemptId)
    const log = yield* folder.log("stderr.log")
    log.write(Buffer.from("0123456789"))
    return attemptId
  })

  it.effect("comes whole, by ranges, and followed to its end", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const path = `/api/attempts/${yield* written}/stderr`
        const part = (range: string, query = "") =>
          Effect.map(ask(`${path}${query}`, { headers: { range } }), ({ headers, status, text }) => [
            status,
            headers.get("content-range"),
            status < 400 ? text : ""
          ])
        const whole = yield* ask(path)
        expect([whole.status, whole.text, whole.headers.get("accept-ranges")]).toEqual([
          200,
          "0123456789",
          "bytes"
        ])
        expect(whole.headers.get("content-type")).toBe("text/plain; charset=utf-8")
        expect(yield* part("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"])
        expect(yield* part("bytes=7-")).toEqual([206, "bytes 7-9/10", "789"])
        expect(yield* part("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"])
        expect(yield* part("bytes=0-99")).toEqual([206, "bytes 0-9/10", "0123456789"])
        expect(yield* part("bytes=10-")).toEqual([416, "bytes */10", ""])
        expect(yield* part("bytes=4-2")).toEqual([200, null, "0123456789"])
        expect(yield* part("lines=1-2")).toEqual([200, null, "0123456789"])
        expect((yield* part("bytes=7-", "?follow=1"))[2]).toBe("789")
        const head = yield* ask(path, { method: "HEAD", headers: { range: "bytes=2-4" } })
        expect([head.status, head.headers.get("content-length")]).toEqual([200, "10"])
        const lost = yield* ask(path.replace("stderr", "stdout"))
        expect(failed(lost)).toEqual([404, "log_not_found"])
        expect(problemIn(lost.json).error).toContain("has no stdout.log: it is not there any more")
        expect(failed(yield* ask(`${path.replace("stderr", "stdout")}?follow=1`))[0]).toBe(404)
        expect(failed(yield* ask("/api/attempts/nobody/stdout"))).toEqual([404, "attempt_not_found"])
      })
    )
  )

  it.effect("stands beside the steps of its agent", () =>
    within(({ ask }) =>
      Effect.gen(function* () {
        const id = yield* written
        const attempt = Option.getOrThrow(yield* (yield* Store).attempts.find(id))
        const folder = yield* (yield* Audit).open(attempt.taskId, id)
        const log = yield* folder.log("steps.jsonl")
        const mark = { id: "1", at: "2026-04-29T07:00:00.000Z", tool: "shell", target: "npm test", ok: false }
        log.write(Buffer.from(`${JSON.stringify(mark)}\n`))
        const { id: _, ...step } = mark
        expect((yield* ask(`/api/attempts/${id}/steps`)).json).toEqual({ steps: [step] })
        expect(failed(yield* ask("/api/attempts/nobody/steps"))).toEqual([404, "attempt_not_found"])
      })
    )
  )

  it.effect("shows each byte of a secret as an asterisk, whole and in parts", () =>
    within(
      ({ ask }) =>
        Effect.gen(function* () {
          const path = `/api/attempts/${yield* written}/stderr`
          const part = (range: string) => Effect.map(ask(path, { headers: { range } }), ({ text }) => text)
          expect((yield* ask(path)).text).toBe("01******89")
          expect(yield* part("bytes=0-3")).toBe("01**")
          expect(yield* part("bytes=4-5")).toBe("**")
          expect(yield* part("bytes=5-9")).toBe("***89")
        }),
      { secrets: ["234567"] }
    )
  )
})
