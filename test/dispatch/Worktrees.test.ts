import { describe, expect } from "bun:test"
import { DateTime, Deferred, Effect, Fiber, Option, Ref, TestClock } from "effect"
import { type Scripted, scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import type { FixedFile } from "../../layers/context/FixedWorkspace.ts"
import type { Fixed } from "../../layers/context/FixedWorktrees.ts"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import { ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { Audit } from "../../src/artifact/AuditFolder.ts"
import {
  type ListedWorktree,
  type WorktreeChanges,
  WorktreeRefused,
  Worktrees
} from "../../src/context/Worktrees.ts"
import { sweep } from "../../src/dispatch/Sweep.ts"
import { AttemptId, RunnerId, TaskId } from "../../src/domain/Ids.ts"
import { redactorOf } from "../../src/domain/Redactor.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import { it } from "../support/effect.ts"
import { complete, ended } from "../support/store.ts"
import { answer, attemptsOf, DOOR, detailsOf, queue, ran, says, taskOf, typesOf, world } from "./world.ts"

const SHA = "1".repeat(40)
const local = scriptSettings("local", {
  workspace: "worktree",
  workingDir: Option.some({ given: "repo", path: "/link" })
})

const snapshot = {
  repository: true,
  root: Option.some("/repo"),
  gitSha: Option.some(SHA),
  dirty: Option.some(true)
}

const scene = (act: Scripted, worktrees: Fixed = {}) => ({
  adapters: { local: act },
  configured: [local],
  workspace: { snapshots: { "/link": snapshot }, files: { "/link": { realPath: "/repo" } } },
  worktrees
})

const changed: Partial<WorktreeChanges> = { files: 2, commits: 1, diff: "the diff\n", touched: () => true }

const left = Effect.flatMap(Worktrees, ({ list }) => list)

const diffOf = (task: TaskId, attempt: AttemptId) =>
  Effect.gen(function* () {
    const audit = yield* Audit
    const bytes = yield* audit.read(task, attempt, "workspace.diff", { offset: 0, most: 1000 })
    return new TextDecoder().decode(bytes)
  })

/** Runs one task; what is left of its attempt. */
const one = Effect.gen(function* () {
  const id = yield* queue()
  const { attemptId, verdict } = yield* ran
  const [attempt] = yield* attemptsOf(id)
  const [finished] = yield* detailsOf(id, "task_attempt_finished")
  return { id, attemptId, verdict, issues: attempt?.issues ?? [], workspace: finished?.workspace }
})

describe("an attempt with a worktree of its own", () => {
  it.effect("runs in it, from the commit that its bundle names, in a workspace that is clean", () =>
    Effect.gen(function* () {
      const jobs = yield* Ref.make<ReadonlyArray<Job>>([])
      const act: Scripted = (job) =>
        Effect.as(
          Ref.update(jobs, (all) => [...all, job]),
          {}
        )
      yield* Effect.gen(function* () {
        const { attemptId, id } = yield* one
        const [job] = yield* Ref.get(jobs)
        expect(job?.cwd).toBe(`/memory/worktrees/${attemptId}`)
        const [attempt] = yield* attemptsOf(id)
        expect(Option.getOrNull(attempt!.replayGrade)).toBe("inputs_frozen")
        const store = yield* Store
        const record = Option.getOrThrow(yield* store.attempts.bundle(Option.getOrThrow(attempt!.bundleId)))
        const text = Option.getOrThrow(yield* (yield* ArtifactStore).read(record.relativePath, 1e6))
        expect(JSON.parse(text).workspace).toEqual({
          path: "repo",
          repository: true,
          git_sha: SHA,
          dirty: false
        })
        expect(text).not.toContain(attemptId)
        expect(text).not.toContain("/memory/worktrees")
      }).pipe(Effect.provide(world(scene(act))))
    })
  )

  it.effect("keeps its diff, masked, and loses the worktree when nothing in it changed", () =>
    Effect.gen(function* () {
      const { attemptId, id, issues, verdict, workspace } = yield* one
      expect(verdict._tag).toBe("Completed")
      expect(issues).toEqual([])
      const diff = `adapter-runs/${id}/${attemptId}/workspace.diff`
      expect(workspace).toEqual({ kept: null, files: 0, commits: 0, diff })
      expect(yield* diffOf(id, attemptId)).toBe("nothing but [redacted]")
      expect(yield* left).toEqual([])
    }).pipe(
      Effect.provide(
        world(
          scene(() => Effect.succeed({ lastMessage: "done", redactor: redactorOf(["a-secret-value"]) }), {
            changes: () => ({ diff: "nothing but a-secret-value" })
          })
        )
      )
    )
  )

  it.effect(
    "keeps the worktree, and names it, when something in it changed, whatever became of the task",
    () =>
      Effect.forEach([answer(), { exitStatus: "error", retryClass: "retryable" } as const], (execution) =>
        Effect.gen(function* () {
          const { attemptId, id, issues, workspace } = yield* one
          const diff = `adapter-runs/${id}/${attemptId}/workspace.diff`
          expect(issues).toEqual([
            `workspace_kept: worktrees/${attemptId} below the state folder is kept, with 2 changed files and 1 new commit; its diff is ${diff}.`
          ])
          expect(workspace).toEqual({ kept: `worktrees/${attemptId}`, files: 2, commits: 1, diff })
          expect(yield* left).toMatchObject([{ attemptId, state: "kept" }])
        }).pipe(Effect.provide(world(scene(() => Effect.succeed(execution), { changes: () => changed }))))
      )
  )

  it.effect("is blocked before it starts where no worktree can be made, and says why", () =>
    Effect.gen(function* () {
      const { id, verdict } = yield* one
      expect(verdict).toMatchObject({ _tag: "Blocked", reason: "workspace_unusable" })
      expect(Option.getOrThrow((yield* taskOf(id)).lastError)).toBe(
        'workspace_unusable: adapter local has workspace "worktree", but /repo is no repository'
      )
      expect(yield* typesOf(id)).not.toContain("task_started")
    }).pipe(Effect.provide(world(scene(says("x"), { refused: { "/repo": "/repo is no repository" } }))))
  )

  it.effect("waits where the host had no room for one", () =>
    Effect.gen(function* () {
      const worktrees = yield* Worktrees
      const full = {
        ...worktrees,
        make: () => new WorktreeRefused({ reason: "git cannot run", lack: "EMFILE" })
      }
      const { id, verdict } = yield* Effect.provideService(one, Worktrees, full)
      expect(verdict).toMatchObject({ _tag: "Snooze", reason: "no_room" })
      expect(Option.getOrThrow((yield* taskOf(id)).lastError)).toStartWith(
        "no_room: git cannot run (EMFILE): "
      )
    }).pipe(Effect.provide(world(scene(says("x")))))
  )

  const claims = (touched: ReadonlyArray<string>, ...fileChanges: ReadonlyArray<string>) =>
    claimsIn({}, touched, ...fileChanges)

  const claimsIn = (
    other: { readonly gone?: boolean; readonly realPath?: string },
    touched: ReadonlyArray<string>,
    ...fileChanges: ReadonlyArray<string>
  ) =>
    Effect.gen(function* () {
      const { gone = false, realPath } = other
      const files: Record<string, FixedFile> = {}
      const act: Scripted = ({ cwd }) =>
        Effect.sync(() => {
          files[cwd!] = { changedAtMs: 9, ...(realPath === undefined ? {} : { realPath }) }
          files[`${cwd}/src`] = { changedAtMs: 9 }
          files[`${cwd}/src/a.ts`] = { text: "a", changedAtMs: 9 }
          return answer({ file_changes: fileChanges })
        })
      const { workspace, ...rest } = scene(act, {
        changes: () => ({ files: 1, gone, touched: (path) => touched.some((name) => path.endsWith(name)) })
      })
      const all = Object.assign(files, workspace.files)
      const story = world({ ...rest, workspace: { ...workspace, files: all } })
      return yield* Effect.provide(
        Effect.map(one, ({ issues }) => issues.filter((issue) => issue.startsWith("file_change"))),
        story
      )
    })

  it.effect("is believed what it changed there, and not what its checkout did", () =>
    Effect.gen(function* () {
      expect(yield* claims(["/src/a.ts"], "modified: src/a.ts")).toEqual([])
      const [unchanged] = yield* claims([], "modified: src/a.ts")
      expect(unchanged).toStartWith("file_change_without_effect: ")
      expect(yield* claims(["/src/b.ts"], "deleted: src/b.ts")).toEqual([])
      const [untouched] = yield* claims([], "deleted: src/b.ts")
      expect(untouched).toStartWith("file_change_without_effect: ")
    })
  )

  it.effect("is believed nothing of what lies in another folder that is in the place of it", () =>
    Effect.gen(function* () {
      for (const other of [{ gone: true }, { realPath: "/elsewhere" }]) {
        const [issue] = yield* claimsIn(other, ["/src/a.ts"], "modified: src/a.ts")
        expect(issue).toStartWith("file_change_missing: ")
      }
    })
  )

  const kept = (execution: Partial<Execution>, changes: Partial<WorktreeChanges>) =>
    Effect.map(one, ({ issues }) => issues.find((issue) => issue.startsWith("workspace_kept"))).pipe(
      Effect.provide(world(scene(() => Effect.succeed(execution), { changes: () => changes })))
    )

  it.effect("loses none of what git ignores, nor what cannot be told", () =>
    Effect.gen(function* () {
      expect(yield* kept(answer(), {})).toBeUndefined()
      expect(yield* kept(answer(), { ignored: true })).toContain("with files that git ignores")
      expect(yield* kept(answer(), { problem: Option.some("HEAD is gone") })).toContain(
        "is kept, HEAD is gone;"
      )
      expect(yield* kept(answer(), { staged: 1 })).toContain("with 1 file otherwise in the index;")
      expect(yield* kept(answer(), { files: 1, commits: 2, staged: 3, ignored: true })).toContain(
        "with 1 changed file, 2 new commits, 3 files otherwise in the index and files that git ignores;"
      )
      expect(yield* kept({ ...answer(), survivors: ["7 (sleep)"] }, {})).toContain("processes are left in it")
    })
  )

  it.effect("says so when the worktree is gone", () =>
    Effect.gen(function* () {
      const worktrees = yield* Worktrees
      const { issues } = yield* Effect.provideService(one, Worktrees, {
        ...worktrees,
        changes: () => Effect.succeedNone
      })
      expect(issues[0]).toStartWith("workspace_gone: ")
      expect(yield* left).toEqual([])
    }).pipe(Effect.provide(world(scene(says("x")))))
  )

  it.effect("says so when something else is in its place, and keeps what git has of it", () =>
    Effect.gen(function* () {
      const { attemptId, id, issues, workspace } = yield* one
      const diff = `adapter-runs/${id}/${attemptId}/workspace.diff`
      const place = `worktrees/${attemptId}`
      expect(issues).toEqual([
        `workspace_gone: ${place} below the state folder is no longer the folder that was made; whatever was changed in it cannot be told. What git has of it is kept, with 1 new commit: ${diff}.`
      ])
      expect(workspace).toEqual({ kept: place, gone: true, files: 0, commits: 1, diff })
      expect(yield* left).toMatchObject([{ attemptId, state: "kept" }])
    }).pipe(
      Effect.provide(
        world(
          scene(() => Effect.succeed(answer()), {
            changes: () => ({
              commits: 1,
              gone: true,
              problem: Option.some("is no longer the folder that was made")
            })
          })
        )
      )
    )
  )

  it.effect("stays, and its attempt ends, when that is canceled while looking at it takes for ever", () =>
    Effect.gen(function* () {
      const worktrees = yield* Worktrees
      const store = yield* Store
      const begun = yield* Deferred.make<void>()
      const id = yield* queue()
      const cycle = yield* Effect.fork(
        Effect.provideService(ran, Worktrees, {
          ...worktrees,
          changes: () => Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
        })
      )
      yield* Deferred.await(begun)
      yield* store.tasks.requestCancel(id, Option.none(), { at: yield* now, actor: DOOR.actor })
      // It is seen, what it came to is given a few seconds more, and then its worktree.
      for (const wait of ["50 millis", "5 seconds", "5 seconds"] as const) yield* TestClock.adjust(wait)
      const { attemptId } = yield* Fiber.join(cycle)
      expect((yield* taskOf(id)).status).toBe("operator_canceled")
      const [attempt] = yield* attemptsOf(id)
      expect(attempt!.issues.join()).toContain("is kept, as the attempt was told to end while")
      expect(yield* left).toMatchObject([{ attemptId, state: "kept" }])
    }).pipe(Effect.provide(world(scene(says("x")))))
  )

  it.effect("leaves its worktree as any other where it met a fault of agent-runtime", () =>
    Effect.gen(function* () {
      const { attemptId, verdict } = yield* one
      expect(verdict.reason).toBe("internal_fault")
      expect(yield* left).toMatchObject([{ attemptId, state: "kept" }])
    }).pipe(Effect.provide(world(scene(() => Effect.die("boom"), { changes: () => changed }))))
  )
})

const DEAD = RunnerId.make("memory:9:1969-12-31T00:00:00.000Z")

const claimAs = (attempt: string) =>
  Effect.gen(function* () {
    const store = yield* Store
    yield* store.tasks.claim({
      lanes: (yield* store.tasks.lanes).map((lane) => lane.key),
      attemptId: AttemptId.make(attempt),
      runnerId: DEAD,
      host: "memory",
      stamp: { at: yield* now, actor: DOOR.actor }
    })
  })

const there = (attempt: string, state: ListedWorktree["state"] = "open"): ListedWorktree => ({
  attemptId: AttemptId.make(attempt),
  taskId: TaskId.make("task"),
  path: `/memory/worktrees/${attempt}`,
  madeAt: DateTime.unsafeMake(0),
  state
})

describe("the boot sweep", () => {
  it.effect("leaves the worktree of a dead dispatcher's attempt as its end would have", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* claimAs("a1")
      expect(yield* sweep()).toBe(1)
      const [attempt] = yield* attemptsOf(id)
      expect(attempt?.issues[0]).toStartWith(
        "workspace_kept: worktrees/a1 below the state folder is kept, with 2"
      )
      const [told] = yield* detailsOf(id, "boot_sweep_reclaimed")
      expect(told?.workspace).toMatchObject({ kept: "worktrees/a1", commits: 1 })
      expect(yield* left).toMatchObject([{ attemptId: "a1", state: "kept" }])
    }).pipe(Effect.provide(world(scene(says("x"), { there: [there("a1")], changes: () => changed }))))
  )

  it.effect("removes those that nobody worked in or changed, and asks no more of those that are kept", () =>
    Effect.gen(function* () {
      const store = yield* Store
      for (const attempt of ["a1", "a2", "a3", "a4"]) {
        yield* queue()
        yield* claimAs(attempt)
      }
      const stamp = { at: yield* now, actor: DOOR.actor }
      for (const attempt of ["a2", "a3", "a4"])
        yield* store.tasks.settle({ attemptId: AttemptId.make(attempt), end: ended(), move: complete, stamp })
      yield* sweep()
      expect((yield* left).map(({ attemptId }) => attemptId as string)).toEqual(["a4", "unknown"])
    }).pipe(
      Effect.provide(
        world(
          scene(says("x"), {
            there: [there("a1"), there("a2"), there("a3", "spent"), there("a4", "kept"), there("unknown")]
          })
        )
      )
    )
  )

  it.effect("keeps a worktree that processes are left in", () =>
    Effect.gen(function* () {
      yield* queue()
      yield* claimAs("a1")
      yield* sweep()
      expect(yield* left).toMatchObject([{ attemptId: "a1", state: "kept" }])
    }).pipe(
      Effect.provide(
        world({ ...scene(says("x"), { there: [there("a1")] }), survivors: { a1: ["7 (sleep)"] } })
      )
    )
  )
})
