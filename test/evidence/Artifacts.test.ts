import { describe, expect, test } from "bun:test"
import { DateTime, Effect, Layer, Option, Schema } from "effect"
import { MemoryFiles } from "../../layers/artifact/MemoryArtifacts.ts"
import { ArtifactFailed, ArtifactStore } from "../../src/artifact/ArtifactStore.ts"
import { TaskId } from "../../src/domain/Ids.ts"
import { withArtifacts } from "../../src/evidence/Artifacts.ts"
import { type Answer, render } from "../../src/evidence/ArtifactText.ts"
import { KERNEL_TICK_MS } from "../../src/evidence/Claim.ts"
import { firstHeading } from "../../src/evidence/Precheck.ts"
import { it } from "../support/effect.ts"
import { NEW, OLD, outcome, round, world } from "./claim.ts"

const task = {
  taskId: Schema.decodeSync(TaskId)("0190-task"),
  kind: "research",
  subject: Option.some("Basics\nof it"),
  payload: { output_path: "wiki/a.md", topic: "x" }
}
const answer = (more: Partial<Answer> = {}): Answer => ({
  task,
  attemptId: "0190-attempt",
  adapterId: "local",
  mode: "script",
  outcome: outcome({ operatorSummary: "It is done." }),
  rawOutput: "raw text",
  writtenAt: DateTime.unsafeMake(NEW),
  round: round(),
  redact: (text) => text,
  ...more
})
const read = (path: string) =>
  Effect.flatMap(ArtifactStore, (store) => Effect.map(store.read(path, 1e6), Option.getOrUndefined))
const list = Effect.flatMap(MemoryFiles, (files) => files.list)

describe("the primary artifact", () => {
  it.effect("is written by the runtime where the adapter wrote none", () =>
    Effect.gen(function* () {
      const found = yield* withArtifacts(answer())
      expect(found.outcome.artifactPaths).toEqual(["wiki/a.md"])
      expect(found.written).toEqual(
        Option.some({ path: "wiki/a.md", writtenBy: "runtime", kept: Option.none() })
      )
      expect(yield* read("wiki/a.md")).toBe(`<!-- agent-runtime written_by=runtime task=0190-task -->

# Basics of it

- task: \`0190-task\`
- kind: \`research\`
- attempt: \`0190-attempt\`
- adapter: \`local\`
- written by: runtime, 1970-01-01T00:16:40.500Z

## Summary

> It is done.

## Payload

\`\`\`json
{
  "output_path": "wiki/a.md",
  "topic": "x"
}
\`\`\`

## Raw output

\`\`\`text
raw text
\`\`\`
`)
    }).pipe(Effect.provide(world({})))
  )

  it.effect("that the adapter wrote in this round stays as it is and is reported", () =>
    Effect.gen(function* () {
      const found = yield* withArtifacts(answer())
      expect(found).toMatchObject({ written: Option.none(), outcome: { artifactPaths: ["wiki/a.md"] } })
      expect(yield* read("wiki/a.md")).toBe("by the adapter")
      expect(yield* list).toEqual(["wiki/a.md"])
    }).pipe(Effect.provide(world({ "wiki/a.md": { text: "by the adapter", changedAtMs: NEW } })))
  )

  it.effect("of an earlier round is kept under a number", () =>
    Effect.gen(function* () {
      const found = yield* withArtifacts(answer())
      expect(found.written).toMatchObject(Option.some({ kept: Option.some("wiki/a.1.md") }))
      expect(yield* read("wiki/a.1.md")).toBe("old")
      expect(yield* read("wiki/a.md")).toContain("It is done.")
    }).pipe(Effect.provide(world({ "wiki/a.md": { text: "old", changedAtMs: OLD } })))
  )

  for (const key of ["proposal_artifact", "implementation_artifact", "verification_artifact"]) {
    const payload = { [key]: "plan.md" }

    it.effect(`of a task without a phase is never in the place of the operator's own: ${key}`, () =>
      Effect.gen(function* () {
        const found = yield* withArtifacts(answer({ task: { ...task, payload } }))
        expect(found.written).toEqual(Option.none())
        expect([yield* list, yield* read("plan.md")]).toEqual([["plan.md"], "# Plan"])
      }).pipe(Effect.provide(world({ "plan.md": { text: "# Plan", changedAtMs: OLD } })))
    )

    it.effect(
      `of a task without a phase is written where nothing lies, and again in its next round: ${key}`,
      () =>
        Effect.gen(function* () {
          for (const kept of [Option.none(), Option.some("plan.1.md")])
            expect((yield* withArtifacts(answer({ task: { ...task, payload } }))).written).toMatchObject(
              Option.some({ path: "plan.md", kept })
            )
        }).pipe(Effect.provide(world({})))
    )
  }

  it.effect("of a phase takes the place of an older one", () =>
    Effect.gen(function* () {
      const payload = { phase: "plan", proposal_artifact: "plan.md" }
      const found = yield* withArtifacts(answer({ task: { ...task, payload } }))
      expect(found.written).toMatchObject(Option.some({ kept: Option.some("plan.1.md") }))
    }).pipe(Effect.provide(world({ "plan.md": { text: "# Plan", changedAtMs: OLD } })))
  )

  it.effect("that the adapter wrote again as it was is not written over", () =>
    Effect.gen(function* () {
      const sha256 = Option.getOrThrow(
        yield* Effect.flatMap(ArtifactStore, (store) => store.hash("wiki/a.md"))
      )
      const found = yield* withArtifacts(answer({ round: round({ "wiki/a.md": sha256 }) }))
      expect(found.written).toEqual(Option.none())
      expect(yield* read("wiki/a.md")).toBe("old")
    }).pipe(Effect.provide(world({ "wiki/a.md": { text: "old", changedAtMs: NEW } })))
  )

  it.effect("that another task wrote a moment before the round is kept under a number", () =>
    Effect.gen(function* () {
      const store = yield* ArtifactStore
      const sha256 = Option.getOrThrow(yield* store.hash("wiki/a.md"))
      const known = round({ "wiki/a.md": sha256 })
      const files = yield* MemoryFiles
      yield* files.put("wiki/a.md", "old", DateTime.toEpochMillis(known.roundStartedAt) - KERNEL_TICK_MS / 2)
      const found = yield* withArtifacts(answer({ round: known }))
      expect(found.written).toMatchObject(Option.some({ kept: Option.some("wiki/a.1.md") }))
      expect(yield* read("wiki/a.md")).toContain("It is done.")
    }).pipe(Effect.provide(world({ "wiki/a.md": { text: "old", changedAtMs: OLD } })))
  )

  it.effect("that the runtime wrote in an attempt that was lost is written anew", () =>
    Effect.gen(function* () {
      const files = yield* MemoryFiles
      yield* files.put("wiki/a.md", render(answer({ rawOutput: "lost" }), "output"), NEW)
      const found = yield* withArtifacts(answer())
      expect(found.written).toMatchObject(Option.some({ kept: Option.some("wiki/a.1.md") }))
      expect(yield* read("wiki/a.md")).toContain("raw text")
    }).pipe(Effect.provide(world({})))
  )

  const untouched = (title: string, more: Partial<Answer>) =>
    it.effect(`is not written ${title}`, () =>
      Effect.gen(function* () {
        const found = yield* withArtifacts(answer(more))
        expect(found).toMatchObject({ written: Option.none(), issues: [], outcome: { artifactPaths: [] } })
        expect(yield* list).toEqual([])
      }).pipe(Effect.provide(world({})))
    )
  untouched("for an adapter with hands", { mode: "agent-cli" })
  untouched("for an outcome that is not completed", { outcome: outcome({ status: "blocked" }) })
  untouched("for one that is not ok", { outcome: outcome({ machineStatus: "failed" }) })
  untouched("where none is declared", { task: { ...task, payload: { required_artifacts: ["a.md"] } } })
  for (const output_path of ["../a.md", "/etc/a.md", "a\0.md", "bundles/a.md", "x/../snapshots/a.md", "."])
    untouched(`at ${JSON.stringify(output_path)}`, { task: { ...task, payload: { output_path } } })

  it.effect("is not reported where a folder lies in its place", () =>
    Effect.gen(function* () {
      const found = yield* withArtifacts(answer())
      expect(found).toMatchObject({ written: Option.none(), outcome: { artifactPaths: [] } })
    }).pipe(Effect.provide(world({ "wiki/a.md/b.md": { text: "x", changedAtMs: OLD } })))
  )

  it.effect("is masked before it is written", () =>
    Effect.gen(function* () {
      yield* withArtifacts(
        answer({ rawOutput: "key hunter22", redact: (text) => text.replaceAll("hunter22", "[redacted]") })
      )
      expect(yield* read("wiki/a.md")).toContain("key [redacted]")
    }).pipe(Effect.provide(world({})))
  )

  it.effect("that finds the disk full is an issue with its remedy", () =>
    Effect.gen(function* () {
      const store = yield* ArtifactStore
      const full = { ...store, write: (path: string) => new ArtifactFailed({ path, reason: "ENOSPC" }) }
      const found = yield* withArtifacts(answer()).pipe(Effect.provide(Layer.succeed(ArtifactStore, full)))
      expect(found.issues).toEqual([
        'artifact_not_written: the artifact "wiki/a.md" could not be written (ENOSPC); make room on the disk of the artifact root and retry the task.'
      ])
    }).pipe(Effect.provide(world({})))
  )

  it.effect("is not written where its path names a folder", () =>
    Effect.gen(function* () {
      const found = yield* withArtifacts(answer({ task: { ...task, payload: { output_path: "wiki/new/" } } }))
      expect(found).toMatchObject({ written: Option.none(), outcome: { artifactPaths: [] } })
      expect(yield* list).toEqual([])
    }).pipe(Effect.provide(world({})))
  )

  it.effect("absolute paths below the root are reported as relative ones", () =>
    Effect.gen(function* () {
      const { root } = yield* ArtifactStore
      const found = yield* withArtifacts(
        answer({ outcome: outcome({ artifactPaths: [`${root}/wiki/a.md`, "/else"] }) })
      )
      expect(found.outcome.artifactPaths).toEqual(["wiki/a.md", "/else"])
    }).pipe(Effect.provide(world({})))
  )
})

describe("the text of an artifact", () => {
  test("cannot be broken by what it quotes", () => {
    const hostile = "```\n# Plan\n``````\n</pre><script>"
    const text = render(
      answer({ rawOutput: hostile, outcome: outcome({ operatorSummary: "# Verify\n```" }) }),
      "output"
    )
    expect(text).toContain(`\`\`\`\`\`\`\`text\n${hostile}\n\`\`\`\`\`\`\`\n`)
    expect(text).toContain("> # Verify\n> ```")
  })

  test.each([
    ["proposal", "Plan: Verify the wallet"],
    ["implementation", "Execution report: Verify the wallet"],
    ["verification", "Verification report: Verify the wallet"],
    ["checklist", "Verify the wallet"]
  ] as const)("as a %s begins with %s", (role, heading) => {
    const text = render(answer({ task: { ...task, subject: Option.some("Verify the wallet") } }), role)
    expect(firstHeading(text)).toEqual(Option.some(heading))
  })

  test("is bounded whatever the answer holds", () => {
    const text = render(answer({ rawOutput: "x".repeat(5_000_000) }), "output")
    expect(text.length).toBeLessThan(300_000)
    expect(text).toContain("… (4,737,856 more characters)")
  })
})
