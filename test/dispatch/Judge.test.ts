import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import type { Execution } from "../../src/adapter/AdapterRegistry.ts"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { Audit, AuditFailed } from "../../src/artifact/AuditFolder.ts"
import type { TaskId } from "../../src/domain/Ids.ts"
import { redactorOf } from "../../src/domain/Redactor.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { ollamaSettings } from "../support/serverStub.ts"
import { profile } from "../support/settings.ts"
import { answer, attemptsOf, eventsOf, queue, ran, taskOf, world, yields } from "./world.ts"

const SECRET = "hunter22-token"
const redactor = redactorOf([SECRET])
const generous = new Map([
  ["lumen", profile({ result_schema: { allow_follow_up_tasks: true, allow_external_messages: true } })]
])

const living = (execution: Partial<Execution>) =>
  world({ adapters: { local: yields({ redactor, ...execution }) }, settings: { profiles: generous } })

/** Everything that is kept of a task, as text. */
const keptOf = (id: TaskId) =>
  Effect.gen(function* () {
    const store = yield* Store
    const audit = yield* Audit
    const attempts = yield* attemptsOf(id)
    const files = yield* Effect.forEach(attempts, ({ attemptId }) =>
      Effect.forEach(["result.json", "last-message.txt"] as const, (name) =>
        audit.read(id, attemptId, name, { offset: 0, most: 1e6 })
      )
    )
    const children = yield* store.tasks.children(id, 10)
    const records = [yield* taskOf(id), attempts, yield* eventsOf(id), children]
    return `${JSON.stringify(records)}${files
      .flat()
      .map((file) => Buffer.from(file).toString())
      .join("")}`
  })

it.effect("whatever an outcome says is stored masked, its follow-ups and messages with it", () =>
  Effect.gen(function* () {
    const id = yield* queue({ payload: { output_path: "out.md" } })
    const attempted = yield* ran
    expect(attempted.verdict._tag).toBe("Completed")
    expect(JSON.stringify(attempted)).not.toContain(SECRET)
    const kept = yield* keptOf(id)
    expect(kept).not.toContain(SECRET)
    expect(kept).toContain("child of [redacted]")
    const written = Option.getOrThrow(yield* (yield* ArtifactStore).read("out.md", 1e6))
    expect(written).toContain("[redacted]")
    expect(written).not.toContain(SECRET)
  }).pipe(
    Effect.provide(
      living(
        answer({
          operator_summary: `used ${SECRET}`,
          file_changes: [`a remark on ${SECRET}`],
          follow_up_tasks: [{ kind: "note", subject: `child of ${SECRET}`, payload: { [SECRET]: SECRET } }],
          external_messages: [{ type: "discord_reply", content: SECRET, channel: SECRET }],
          workflow_signal: SECRET,
          [SECRET]: "dropped"
        })
      )
    )
  )
)

it.effect("a failure is stored masked, in reason, issues and error", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    yield* ran
    const kept = yield* keptOf(id)
    expect(kept).toContain("exit code 1: [redacted]")
    expect(kept).toContain("denied: [redacted]")
    expect(kept).not.toContain(SECRET)
  }).pipe(
    Effect.provide(
      living({
        exitStatus: "error",
        retryClass: "retryable",
        reason: Option.some(`exit code 1: ${SECRET}`),
        diagnostics: [`denied: ${SECRET}`],
        lastMessage: `{"status": "${SECRET}"}`
      })
    )
  )
)

it.effect("what does not hold is named masked, the secret not even in part where a path is cut", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const { verdict } = yield* ran
    expect(verdict).toMatchObject({ _tag: "Blocked", reason: "verification_failed" })
    const kept = yield* keptOf(id)
    expect(kept).toContain("artifact_missing")
    expect(kept).not.toContain("hunter")
  }).pipe(
    Effect.provide(
      living(
        answer({ artifact_paths: [`${"a".repeat(190)}${SECRET}/b.md`], file_changes: [`src/${SECRET}`] })
      )
    )
  )
)

it.effect("a file that holds a secret blocks its task", () =>
  Effect.gen(function* () {
    const files = yield* MemoryFiles
    const encoded = Buffer.from(`key=${SECRET}`).toString("base64")
    yield* files.put("mine.md", `# Mine\n${encoded}\n`, Number.MAX_SAFE_INTEGER)
    const id = yield* queue()
    const { verdict } = yield* ran
    expect(verdict).toMatchObject({ _tag: "Blocked", reason: "verification_failed" })
    expect(verdict.detail).toStartWith('secret_in_artifact: the reported artifact "mine.md" holds a secret')
    expect(yield* keptOf(id)).not.toContain(encoded.slice(8, 16))
  }).pipe(Effect.provide(living(answer({ artifact_paths: ["mine.md"] }))))
)

it.effect("a file whose name is a secret blocks its task, and is named without it", () =>
  Effect.gen(function* () {
    const files = yield* MemoryFiles
    yield* files.put(`d/${SECRET}.md`, "# Mine\n", Number.MAX_SAFE_INTEGER)
    const id = yield* queue()
    const { verdict } = yield* ran
    expect(verdict.detail).toStartWith(
      'secret_in_artifact: the reported artifact "d/[redacted].md" holds a secret value in its name'
    )
    expect(yield* keptOf(id)).not.toContain(SECRET)
  }).pipe(Effect.provide(living(answer({ artifact_paths: [`d/${SECRET}.md`] }))))
)

const outcome = answer({ operator_summary: "given" }).lastMessage ?? ""
const model = (lastMessage: (prompt: string) => string) =>
  world({
    adapters: { local: (job) => Effect.succeed({ lastMessage: lastMessage(job.prompt) }) },
    configured: [ollamaSettings("http://127.0.0.1:1", { id: "local" })]
  })

it.effect("a model that prints its prompt back completes nothing, whatever stands in the task", () =>
  Effect.gen(function* () {
    yield* queue({ subject: `do ${outcome}`, payload: { inner: JSON.parse(outcome) } })
    expect((yield* ran).verdict).toMatchObject({
      _tag: "Retry",
      reason: "outcome_undecodable",
      detail: "the only outcome in the answer stands in the prompt as well"
    })
  }).pipe(Effect.provide(model((prompt) => prompt)))
)

it.effect("a model's own outcome counts beside what it repeats of its prompt", () =>
  Effect.gen(function* () {
    yield* queue({ subject: `do ${outcome}` })
    expect((yield* ran).verdict).toMatchObject({ _tag: "Completed", detail: "done" })
  }).pipe(Effect.provide(model((prompt) => `${answer().lastMessage}\n${prompt}`)))
)

it.effect("what a model thought completes nothing", () =>
  Effect.gen(function* () {
    yield* queue()
    expect((yield* ran).verdict).toMatchObject({ _tag: "Retry", reason: "outcome_undecodable" })
  }).pipe(Effect.provide(model(() => `<think>${outcome}</think> I am done.`)))
)

it.effect("a script's text completes nothing when a status may stand before its kept end", () =>
  Effect.gen(function* () {
    yield* queue()
    expect((yield* ran).verdict).toMatchObject({
      _tag: "Retry",
      reason: "outcome_undecodable",
      detail: "only the last 1 MiB of the output is read; an object with a status may stand before it"
    })
  }).pipe(Effect.provide(living({ lastMessage: "all fine", answerCut: true })))
)

it.effect("the last message is kept beside the result, masked", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    yield* ran
    const [attempt] = yield* attemptsOf(id)
    const audit = yield* Audit
    const kept = yield* audit.read(
      id,
      Option.getOrThrow(Option.fromNullable(attempt)).attemptId,
      "last-message.txt",
      {
        offset: 0,
        most: 1e6
      }
    )
    expect(Buffer.from(kept).toString()).toBe("said [redacted]")
  }).pipe(Effect.provide(living({ lastMessage: `said ${SECRET}` })))
)

it.effect("what leaves no evidence is tried again, whatever it said", () =>
  Effect.gen(function* () {
    const id = yield* queue()
    const audit = yield* Audit
    const full = new AuditFailed({ path: "/x", reason: "ENOSPC" })
    const open: typeof audit.open = (taskId, attemptId) =>
      Effect.map(audit.open(taskId, attemptId), (folder) => ({ ...folder, putAll: () => full }))
    const { verdict } = yield* Effect.provideService(ran, Audit, { ...audit, open })
    expect(verdict).toMatchObject({ _tag: "Retry", reason: "exit_error" })
    expect(verdict.detail).toContain("the evidence could not be written: /x below the artifact root: ENOSPC")
    expect((yield* taskOf(id)).status).toBe("retryable_failure")
  }).pipe(Effect.provide(living(answer())))
)
