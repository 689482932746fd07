import { afterAll, describe, expect } from "bun:test"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, FastCheck as fc, Layer, Option } from "effect"
import { layer as diskArtifacts } from "../../layers/artifact/DiskArtifacts.ts"
import { layer as fixedWorkspace } from "../../layers/context/FixedWorkspace.ts"
import { ArtifactFailed, ArtifactStore, PathRefused } from "../../src/artifact/ArtifactStore.ts"
import { RuntimeConfig } from "../../src/config/RuntimeConfig.ts"
import { assemble, persist } from "../../src/context/Assemble.ts"
import { bundleText } from "../../src/context/Canonical.ts"
import { BundleId } from "../../src/domain/Ids.ts"
import { it } from "../support/effect.ts"
import { golden } from "./golden.ts"
import {
  agentCli,
  at,
  finished,
  frozen,
  input,
  ollama,
  profile,
  round,
  secrets,
  settings,
  task,
  world
} from "./world.ts"

const base = mkdtempSync(join(tmpdir(), "assemble-test-"))
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** Every text that goes into a bundle, by name. */
const texts = {
  runtimeName: "house",
  policy: "Be careful.",
  identity: "I am the house.",
  purpose: "To stay dry.",
  skill: "Plan first.",
  role: "keeper",
  part: "Speak plainly.",
  source: "operator",
  subject: "The pump",
  description: "It is loud.",
  payload: "Make it quiet.",
  memory: "Oiled the pump.",
  note: "Use the small wrench.",
  reason: "timed out",
  issue: "no report",
  arg: "--careful",
  model: "small",
  artifact: "# Plan",
  external: "manual",
  gitSha: "abcdef"
}
type Texts = typeof texts

const madeOf = (
  given: Texts,
  changes: Parameters<typeof input>[0] = {},
  masked: ReadonlyArray<string> = []
) =>
  frozen(
    {
      task: task({
        source: given.source,
        subject: given.subject,
        description: given.description,
        payload: { message: given.payload, output_path: "plans/p.md", sources: ["manual.md"] }
      }),
      round: round({ note: Option.some(given.note) }),
      profile: profile({
        role: given.role,
        system_prompt_parts: [given.part],
        skills: ["planning"],
        context_policy: { include_recent_task_memory: true }
      }),
      adapter: agentCli({
        extraArgs: [given.arg],
        env: { TOKEN: "s3cret-value" },
        workingDir: Option.some({ given: "work", path: "/work" })
      }),
      model: Option.some(given.model),
      memory: [finished("t-1", given.memory, { kind: "note" })],
      lastFailure: Option.some({ attemptNumber: 1, reason: given.reason, issues: [given.issue] }),
      ...changes
    },
    {
      runtimeName: given.runtimeName,
      runtimePolicy: given.policy,
      identity: Option.some({ given: "IDENTITY.md", path: "/c/IDENTITY.md" }),
      purpose: Option.some({ given: "PURPOSE.md", path: "/c/PURPOSE.md" }),
      skillDirs: [{ given: "skills", path: "/c/skills" }]
    },
    {
      files: {
        "/c/IDENTITY.md": { text: given.identity },
        "/c/PURPOSE.md": { text: given.purpose },
        "/c/skills/planning/SKILL.md": { text: given.skill }
      },
      snapshots: {
        "/work": {
          repository: true,
          root: Option.some("/work"),
          gitSha: Option.some(given.gitSha),
          dirty: Option.some(false)
        }
      }
    },
    { "plans/p.md": given.artifact, "manual.md": given.external },
    masked
  )

const hashOf = (given: Texts, changes: Parameters<typeof input>[0] = {}) =>
  Effect.map(madeOf(given, changes), ({ bundleHash }) => bundleHash)

const otherLetter = (text: string, index: number) =>
  text.slice(0, index) + (text[index] === "x" ? "y" : "x") + text.slice(index + 1)

describe("a bundle", () => {
  it.effect("is the text of the golden file", () =>
    Effect.flatMap(madeOf(texts), ({ bundle }) => golden("bundle.json", `${bundleText(bundle)}\n`))
  )

  it.effect("of a task in a workflow is the text of the golden file", () =>
    Effect.gen(function* () {
      const payload = { workflow_template: "goal-loop", workflow_instance_key: "g", objective: "Quiet" }
      const planned = task({ kind: "goal-plan", workflow_id: 4, payload, untrusted: true })
      const { bundle } = yield* frozen({
        task: planned,
        round: round({ workflowState: Option.some("plan") }),
        adapter: ollama({ options: { num_ctx: 8_192 } }),
        model: Option.some("small")
      })
      yield* golden("bundle-workflow.json", `${bundleText(bundle)}\n`)
    })
  )

  it.effect("changes its hash with any single character of any input", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.constantFrom(...Object.entries(texts)), fc.nat(), async ([name, text], n) => {
          const changed = { ...texts, [name]: otherLetter(text, n % text.length) }
          const [one, other] = await Effect.runPromise(Effect.all([hashOf(texts), hashOf(changed)]))
          expect(other).not.toBe(one)
        }),
        { numRuns: 150 }
      )
    )
  )

  it.effect("has the same hash whatever the queue, the clock and the number of the attempt say", () =>
    Effect.gen(function* () {
      const work = { payload: { a: 1 } }
      const hash = (given: Record<string, unknown>, changes: Parameters<typeof input>[0] = {}) =>
        Effect.map(frozen({ task: task({ ...work, ...given }), ...changes }), (one) => one.bundleHash)
      const first = yield* hash({})
      const later = "2027-01-01T00:00:00.000Z"
      for (const state of [
        { status: "retryable_failure" },
        { attempt_count: 7 },
        { max_attempts: 9 },
        { priority: 99 },
        { dedupe_key: "k" },
        { created_at: later },
        { updated_at: later },
        { available_at: later },
        { started_at: later },
        { finished_at: later },
        { last_error: "exit code 1" },
        { outcome: { status: "blocked", operator_summary: "no", machine_status: "blocked" } }
      ])
        expect(yield* hash(state)).toBe(first)
      expect(yield* hash({}, { at: at(later), bundleId: BundleId.make("b") })).toBe(first)
      expect(yield* hash({}, { round: round({ round: 4, notCounted: 2 }) })).toBe(first)
      expect(yield* hash({ payload: { a: 2 } })).not.toBe(first)
    })
  )

  it.effect("holds no value of the environment", () =>
    Effect.map(madeOf(texts), ({ bundle }) => expect(bundleText(bundle)).not.toContain("s3cret"))
  )

  // Their files are only hashed, and these come from places that hold no text of a person.
  const unwritten: ReadonlyArray<string> = [
    "artifact",
    "external",
    "memory",
    "gitSha",
    "runtimeName",
    "source",
    "model"
  ]
  for (const name of Object.keys(texts).filter((one) => !unwritten.includes(one)))
    it.effect(`holds no secret of the configuration that stands in its ${name}`, () =>
      Effect.gen(function* () {
        const secret = "sk-9f8e7d6c5b4a"
        const encoded = Buffer.from(secret).toString("base64")
        const { bundle } = yield* madeOf({ ...texts, [name]: `a ${secret} b ${encoded}` }, {}, [secret])
        const text = bundleText(bundle)
        expect(text).toContain("a [redacted] b [redacted]")
        expect(text).not.toContain(secret)
        expect(text).not.toContain(encoded.slice(2, -4))
      })
    )

  it.effect("records adapter arguments and what else changes behaviour, but no address", () =>
    Effect.gen(function* () {
      const cli = agentCli({
        extraArgs: ["--x"],
        sandbox: Option.some("read-only"),
        settingsFile: Option.some({ given: "s.json", path: "/c/s.json" }),
        provider: { providerId: "p", providerBaseUrl: "http://user:pass@10.0.0.1/v1" }
      })
      const { bundle } = yield* frozen({ adapter: cli })
      expect(bundle.adapter.args).toEqual(["--x", "sandbox=read-only", "settingsFile=s.json", "providerId=p"])
      expect(bundle.adapter.autonomy).toEqual(Option.some("restricted"))
      const model = yield* frozen({ adapter: ollama({ options: { b: 1, a: 2 } }) })
      expect(model.bundle.adapter.args).toEqual(['options={"a":2,"b":1}'])
    })
  )
})

describe("assembling", () => {
  const onDisk = (name: string) => {
    const root = join(base, name, "artifacts")
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, "p.md"), "# Plan")
    const configured = {
      artifactDir: root,
      stateDir: join(base, name),
      skillDirs: [{ given: "skills", path: join(base, name, "skills") }]
    }
    const layers = Layer.mergeAll(
      Layer.succeed(RuntimeConfig, settings(configured)),
      fixedWorkspace({ files: { [join(base, name, "skills", "s", "SKILL.md")]: { text: "Skill." } } }),
      diskArtifacts(root),
      secrets()
    )
    const given = input({
      task: task({ payload: { output_path: "p.md", sources: ["x".repeat(5_000)] } }),
      profile: profile({ skills: ["s"] }),
      bundleId: BundleId.make(`bundle-${name}`),
      at: at(name === "one" ? "2026-04-29T23:59:59.999Z" : "2027-01-01T00:00:00.000Z")
    })
    return Effect.map(Effect.tap(assemble(given), persist).pipe(Effect.provide(layers)), (compiled) => ({
      root,
      compiled
    }))
  }

  it.live("in two places at two times gives equal hashes and equal prompts, each with its own root", () =>
    Effect.gen(function* () {
      const one = yield* onDisk("one")
      const two = yield* onDisk("two-with-a-longer-name")
      expect(two.compiled.bundleHash).toBe(one.compiled.bundleHash)
      expect(two.compiled.bundle.prompt).toEqual(one.compiled.bundle.prompt)
      expect(one.compiled.promptText).toContain(`artifact root: ${one.root}\n`)
      expect(two.compiled.promptText).toContain(`artifact root: ${two.root}\n`)
      expect(bundleText(one.compiled.bundle)).not.toContain(base)
    })
  )

  it.live("takes a source whose name no file can have for an uncached one", () =>
    Effect.gen(function* () {
      const { compiled } = yield* onDisk("one")
      expect(compiled.bundle.externalInputs.map(({ cached }) => cached)).toEqual([false])
      expect(compiled.replayGrade).toBe("best_effort")
    })
  )

  it.live("is written with its prompt into the folder of the day", () =>
    Effect.gen(function* () {
      const { compiled, root } = yield* onDisk("one")
      expect(compiled.relativePath).toBe("bundles/2026-04-29/bundle-one.json")
      expect(compiled.promptRelativePath).toBe("bundles/2026-04-29/bundle-one.prompt.txt")
      const text = readFileSync(join(root, compiled.relativePath), "utf8")
      expect(text).toBe(`${bundleText(compiled.bundle)}\n`)
      expect(readFileSync(join(root, compiled.promptRelativePath), "utf8")).toBe(
        JSON.parse(text).prompt.rendered_text
      )
    })
  )

  const broken = (failing: (path: string) => ArtifactFailed | PathRefused) =>
    Effect.gen(function* () {
      const store = yield* ArtifactStore
      return yield* Effect.flatMap(assemble(input()), persist).pipe(
        Effect.provideService(ArtifactStore, {
          ...store,
          begin: (path: string) => Effect.fail(failing(path))
        }),
        Effect.flip
      )
    }).pipe(Effect.provide(world()))

  it.effect("on a full disk, or where the bundles' folder leads out, says that the root is unusable", () =>
    Effect.gen(function* () {
      const full = yield* broken((path) => new ArtifactFailed({ path, reason: "ENOSPC" }))
      expect(full.reason).toBe("artifact_root_unusable")
      expect(full.detail).toContain("ENOSPC")
      const outside = yield* broken((path) => new PathRefused({ path, why: "leads out" }))
      expect(outside.reason).toBe("artifact_root_unusable")
      expect(outside.detail).toContain("bundles/2026-04-29/")
    })
  )
})
