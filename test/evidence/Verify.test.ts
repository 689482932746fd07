import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { Effect, Option } from "effect"
import type { FixedFile } from "../../layers/context/FixedWorkspace.ts"
import { redactorOf } from "../../src/domain/Redactor.ts"
import type { Claim } from "../../src/evidence/Claim.ts"
import { verify } from "../../src/evidence/Verify.ts"
import { it } from "../support/effect.ts"
import { growsLinearly } from "../support/growth.ts"
import { claim, NEW, OLD, outcome, profile, round, START, world } from "./claim.ts"

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
type Files = Readonly<Record<string, FixedFile>>

/** The world's files, the claim, and the names of the issues that are expected, in order. */
const check = (title: string, files: Files, more: Partial<Claim>, ...issues: ReadonlyArray<string>) =>
  it.effect(title, () =>
    Effect.gen(function* () {
      const found = yield* verify(claim(more))
      expect(found.map((issue) => issue.split(":")[0])).toEqual([...issues])
      for (const issue of found) expect(issue).toMatch(/^[a-z_]+: .*\.$/)
    }).pipe(Effect.provide(world({ "/work": {}, ...files })))
  )

const says = (title: string, files: Files, more: Partial<Claim>, ...issues: ReadonlyArray<string>) =>
  it.effect(title, () =>
    Effect.gen(function* () {
      expect(yield* verify(claim(more))).toEqual([...issues])
    }).pipe(Effect.provide(world({ "/work": {}, ...files })))
  )

const declares = (payload: Record<string, unknown>, kind = "operator") => ({ task: { kind, payload } })
const reports = (...artifactPaths: ReadonlyArray<string>) => ({ outcome: outcome({ artifactPaths }) })
const changes = (...fileChanges: ReadonlyArray<string>) => ({ outcome: outcome({ fileChanges }) })
const secrets = redactorOf(["hunter22"])
const made = (text = "text") => ({ text, changedAtMs: NEW })
const stale = (text = "text") => ({ text, changedAtMs: OLD })

describe("a completed outcome", () => {
  check("that claims nothing has nothing to prove", {}, {})
  for (const machineStatus of ["needs_retry", "blocked", "failed"] as const)
    check(
      `with machine_status ${machineStatus} is no completion`,
      {},
      { outcome: outcome({ machineStatus }) },
      "machine_status"
    )

  const prompt = `You are an agent. ${"The quick brown fox jumps over the lazy dog again. ".repeat(2)}Answer in JSON.`
  const copied = {
    promptText: prompt,
    outcome: outcome({ operatorSummary: `I did: ${prompt.slice(10, 90)} and so` })
  }
  check(
    "of a model that repeats 80 characters of its prompt is no summary",
    {},
    copied,
    "summary_echoes_prompt"
  )
  check("of a script may repeat its prompt", {}, { ...copied, mode: "script" })
})

describe("a declared artifact", () => {
  const output = declares({ output_path: "wiki/a.md" })
  check("that was made in this round is proof", { "wiki/a.md": made() }, output)
  says(
    "that is missing is named with its key",
    {},
    output,
    'artifact_missing: the declared artifact "wiki/a.md" (output_path) does not exist below the artifact root.'
  )
  says(
    "that lies in the working directory only is named as lying there",
    { "/work/wiki/a.md": made() },
    output,
    'artifact_missing: the declared artifact "wiki/a.md" (output_path) does not exist below the artifact root; a file of that name lies in the adapter\'s working directory, which is not the artifact root.'
  )
  check(
    "that lies in both is refused",
    { "wiki/a.md": made(), "/work/wiki/a.md": made() },
    output,
    "artifact_twice"
  )
  check(
    "that both names lead to does not lie there twice",
    { "wiki/a.md": made(), "/work/wiki/a.md": { ...made(), realPath: "/memory/artifacts/wiki/a.md" } },
    output
  )
  check("that is a folder is no file", { "wiki/a.md/b.md": made() }, output, "artifact_not_a_file")
  for (const path of ["wiki/a.md/", "wiki/a.md/.", "wiki/a.md//"])
    says(
      `at ${path} is asked for as a folder, whatever lies there`,
      { "wiki/a.md": made() },
      declares({ required_artifacts: ["wiki/a.md", path] }),
      `artifact_not_a_file: the declared artifact ${JSON.stringify(path)} (required_artifacts[1]) is no regular file: a path that ends so names a folder.`
    )
  check("that is older than the round is no evidence", { "wiki/a.md": stale() }, output, "artifact_unchanged")
  check(
    "that changed within a kernel's tick before the round counts",
    { "wiki/a.md": { text: "x", changedAtMs: START - 20 } },
    output
  )
  check(
    "that changed more than a tick before does not",
    { "wiki/a.md": { text: "x", changedAtMs: START - 21 } },
    output,
    "artifact_unchanged"
  )
  check(
    "that was touched and holds what it held is no evidence",
    { "wiki/a.md": made("same") },
    { ...output, round: round({ "wiki/a.md": sha256("same") }) },
    "artifact_unchanged"
  )
  check(
    "that holds something else is evidence",
    { "wiki/a.md": made("other") },
    { ...output, round: round({ "wiki/a.md": sha256("same") }) }
  )
  check(
    "that was not there when the round began is evidence, whatever its time",
    { "wiki/a.md": stale() },
    { ...output, round: round({ "wiki/a.md": null }) }
  )
  check(
    "by another name than it was known by is the same",
    { "wiki/a.md": made("same") },
    {
      ...declares({ output_path: "./wiki/x/../a.md" }),
      round: round({ "./wiki/x/../a.md": sha256("same") })
    },
    "artifact_unchanged"
  )
  for (const path of ["../a.md", "/etc/passwd", "a\0.md", "/memory/artifacts-evil/a.md"])
    check(`at ${JSON.stringify(path)} is refused`, {}, declares({ output_path: path }), "artifact_refused")
  for (const folder of ["adapter-runs", "bundles", "snapshots"])
    check(
      `in ${folder} is the runtime's own`,
      { [`${folder}/a.md`]: made() },
      declares({ output_path: `x/../${folder}/a.md` }),
      "artifact_is_evidence"
    )
  for (const path of ["snapshots/z.md", "bundles", "./adapter-runs/a/b.md"])
    says(
      `at ${path}, where nothing lies, is refused for the folder`,
      {},
      declares({ output_path: path }),
      `artifact_is_evidence: the declared artifact ${JSON.stringify(path)} (output_path) lies in a folder that the runtime itself fills; name another.`
    )
  check("that is no path is named", {}, declares({ output_path: 5 }), "artifact_undeclared")
  check(
    "of the phase and the required ones are all needed",
    { "p.md": stale(), "i.md": made() },
    declares(
      { proposal_artifact: "p.md", implementation_artifact: "i.md", required_artifacts: ["p.md", "x.md"] },
      "goal-execute"
    ),
    "artifact_missing"
  )
  check(
    "with a secret in it blocks",
    { "wiki/a.md": made("key: hunter22") },
    { ...output, secrets },
    "secret_in_artifact"
  )
  check(
    "with a secret behind nine million bytes blocks",
    { "wiki/a.md": made(`${"x".repeat(9_000_000)}hunter22`) },
    { ...output, secrets },
    "secret_in_artifact"
  )
  check("without a secret is accepted", { "wiki/a.md": made("hunter2") }, { ...output, secrets })
})

describe("a reported artifact", () => {
  check(
    "that exists is accepted, old or new",
    { "a.md": stale() },
    reports("a.md", "./a.md", "/memory/artifacts/a.md")
  )
  check("that does not is a false claim", {}, reports("a.md"), "artifact_missing")
  check("that is named as a folder is no file", { "a.md": made() }, reports("a.md/"), "artifact_not_a_file")
  check(
    "outside is refused",
    {},
    reports("../../etc/passwd", "/etc/passwd"),
    "artifact_refused",
    "artifact_refused"
  )
  check(
    "of the runtime's own folders is refused",
    { "bundles/a.json": made() },
    reports("bundles/a.json"),
    "artifact_is_evidence"
  )
  check(
    "of the runtime's own folders is refused, where nothing lies too",
    {},
    reports("bundles/a.json"),
    "artifact_is_evidence"
  )
  check(
    "is not asked for twice when it is declared too",
    {},
    {
      ...declares({ output_path: "a.md" }),
      ...reports("./a.md")
    },
    "artifact_missing"
  )
  check(
    "by the thousands is not looked at",
    {},
    reports(...Array.from({ length: 1_001 }, (_, n) => `${n}.md`)),
    "artifacts_too_many"
  )
  test("costs no more than linear time to be refused", () =>
    growsLinearly((share) => {
      const artifactPaths = Array.from({ length: 100_000 * share }, (_, n) => `${n}.md`)
      const task = { ...claim({}).task, payload: { required_artifacts: artifactPaths } }
      const issues = verify({ ...claim({ outcome: outcome({ artifactPaths }) }), task })
      const [only] = Effect.runSync(Effect.scoped(Effect.provide(issues, world({}))))
      expect(only).toStartWith("artifacts_too_many")
    }))
})

describe("a reported file change", () => {
  const src = { "/work/src": { changedAtMs: NEW } }
  for (const entry of [
    "src/a.ts",
    "created: src/a.ts",
    "Modified:src/a.ts",
    "updated: ./src/../src/a.ts",
    "renamed: src/a.ts",
    "modified: /work/src/a.ts",
    "modified: `src/a.ts`",
    "modified: src/a.ts - the remark names /etc/passwd"
  ])
    check(
      `${JSON.stringify(entry)} with its effect is believed`,
      { ...src, "/work/src/a.ts": made() },
      changes(entry)
    )

  check(
    "of a file without a slash is judged when the file exists",
    { "/work/README.md": stale() },
    changes("README.md - nicer"),
    "file_change_without_effect"
  )
  for (const remark of [
    "no changes",
    "",
    "created: ",
    "deleted: nothing.txt",
    "tidied up - see docs/a.md",
    "src"
  ])
    check(`${JSON.stringify(remark)} is a remark`, src, changes(remark))

  check(
    "of a deleted file without a slash is one where something was deleted, which a profile may forbid",
    { "/work": { changedAtMs: NEW } },
    { ...changes("deleted: gone.md"), profile: { ...profile, toolPolicy: { allow_repo_changes: false } } },
    "repo_changes_not_allowed"
  )
  check(
    "of a deleted file without a slash is believed where it is allowed",
    { "/work": { changedAtMs: NEW } },
    changes("deleted: gone.md")
  )
  check(
    "without its effect is caught",
    { ...src, "/work/src/a.ts": stale() },
    changes("modified: src/a.ts"),
    "file_change_without_effect"
  )
  says(
    "of a file that is named as a folder is caught",
    { ...src, "/work/src/a.ts": made() },
    changes("src/a.ts/"),
    'file_change_missing: the changed folder "src/a.ts/" does not exist: a file is there, and a path that ends so names a folder.'
  )
  check("of a folder is believed, named as one or not", src, changes("src/", "./src"))
  check("of a missing file is caught", src, changes("created: src/a.ts - new"), "file_change_missing")
  check(
    "of a missing file without a slash is caught too",
    src,
    changes("created: ghost.md"),
    "file_change_missing"
  )
  check(
    "with a dash in its name is found",
    { ...src, "/work/src/a - b.ts": made() },
    changes("src/a - b.ts - why")
  )
  for (const entry of ["src/a\0.ts", "a\0"])
    says(
      `at ${JSON.stringify(entry)} is no file's name`,
      {},
      changes(entry),
      `file_change_refused: the changed file ${JSON.stringify(entry)} holds a NUL character, which no file name can.`
    )
  says(
    "below the artifact root in a folder of the runtime's own is told as lying there",
    { "bundles/a.json": made() },
    changes("/memory/artifacts/bundles/a.json"),
    'file_change_is_evidence: the changed file "/memory/artifacts/bundles/a.json" lies in a folder that the runtime itself fills.'
  )
  for (const entry of ["../other/a.ts", "/etc/passwd", "/work-evil/a.ts"])
    check(
      `at ${JSON.stringify(entry)} lies outside`,
      { "/work-evil/a.ts": made(), "/etc/passwd": made() },
      changes(entry),
      "file_change_outside"
    )
  check(
    "through a symlink that leaves lies outside",
    { "/work/link/a.ts": { ...made(), realPath: "/elsewhere/a.ts" } },
    changes("link/a.ts"),
    "file_change_outside"
  )
  check(
    "through a symlinked working directory is believed by either name",
    {
      "/work": { realPath: "/real" },
      "/work/src/a.ts": { ...made(), realPath: "/real/src/a.ts" },
      "/real/src/a.ts": made(),
      "/real": {}
    },
    changes("src/a.ts", "/work/src/a.ts", "/real/src/a.ts")
  )
  check(
    "below the artifact root is believed",
    { "wiki/a.md": made() },
    changes("created: wiki/a.md", "/memory/artifacts/wiki/a.md")
  )
  check(
    "needs no working directory for that",
    { "wiki/a.md": made() },
    { ...changes("wiki/a.md"), workingDir: Option.none() }
  )
  check(
    "of the runtime's own evidence is none",
    { "adapter-runs/t/a/stdout.log": made() },
    changes("adapter-runs/t/a/stdout.log"),
    "file_change_missing"
  )
  check(
    "whose content is what it was is caught",
    { "wiki/a.md": made("same") },
    { ...changes("wiki/a.md"), round: round({ "wiki/a.md": sha256("same") }) },
    "file_change_without_effect"
  )

  check("as deleted is believed when its folder changed", src, changes("deleted: src/a.ts"))
  check(
    "as deleted is caught when the file is there",
    { ...src, "/work/src/a.ts": made() },
    changes("deleted: src/a.ts"),
    "file_change_without_effect"
  )
  check(
    "as deleted is caught when nothing was deleted there",
    { "/work/src": { changedAtMs: OLD } },
    changes("deleted: src/a.ts"),
    "file_change_without_effect"
  )
  check(
    "as deleted with its whole folder is believed",
    { "/work": { changedAtMs: NEW } },
    changes("deleted: src/a.ts")
  )
  check("as deleted outside is refused", {}, changes("deleted: ../a/b.ts"), "file_change_outside")
  check(
    "as a rename claims both names",
    { ...src, "/work/src/b.ts": made() },
    changes("renamed: src/a.ts -> src/b.ts")
  )
  check(
    "as a rename that left the old one is caught",
    { ...src, "/work/src/a.ts": stale(), "/work/src/b.ts": made() },
    changes("renamed: src/a.ts -> src/b.ts"),
    "file_change_without_effect"
  )
  check(
    "with a secret in it blocks",
    { "/work/src/a.ts": made("hunter22") },
    { ...changes("src/a.ts"), secrets },
    "secret_in_artifact"
  )
  check(
    "with a secret behind nine million bytes blocks, and is named once",
    { "/work/src/a.ts": made(`${"x".repeat(9_000_000)}hunter22`) },
    { ...changes("src/a.ts", "modified: ./src/a.ts"), secrets },
    "secret_in_artifact"
  )
  check(
    "below the artifact root with a secret in it blocks",
    { "wiki/a.md": made("hunter22") },
    { ...changes("created: wiki/a.md"), secrets },
    "secret_in_artifact"
  )
  check(
    "that is a folder is not looked through",
    { "/work/src": { changedAtMs: NEW } },
    { ...changes("src/"), secrets }
  )
  check(
    "by the ten thousands is not looked at",
    {},
    changes(...Array.from({ length: 10_001 }, () => "a/b")),
    "file_changes_too_many"
  )
})

describe("a profile that allows no changes to repositories", () => {
  const strict = { profile: { ...profile, toolPolicy: { allow_repo_changes: false } } }
  check(
    "blocks one that is true",
    { "/work/src/a.ts": made() },
    { ...strict, ...changes("src/a.ts") },
    "repo_changes_not_allowed"
  )
  check("does not mind a remark", {}, { ...strict, ...changes("no changes") })
  says(
    "is named with the paths",
    Object.fromEntries(["a", "b", "c", "d"].map((name) => [`/work/src/${name}`, made()])),
    { ...strict, ...changes("src/a", "src/b", "src/c", "src/d") },
    'repo_changes_not_allowed: file changes are reported ("src/a", "src/b", "src/c", and 1 more), but the profile "lumen" says tool_policy.allow_repo_changes false.'
  )
})

describe.each(["github-story", "discord-reply"])("a task of kind %s", (kind) => {
  const task = { task: { kind, payload: {} } }
  check(
    `${kind} reports no file changes`,
    { "/work/src/a.ts": made() },
    { ...task, ...changes("src/a.ts") },
    "summary_only"
  )
  check(`${kind} may report an artifact of this round`, { "a.md": made() }, { ...task, ...reports("a.md") })
  check(
    `${kind} may not report an older one`,
    { "a.md": stale() },
    { ...task, ...reports("a.md") },
    "artifact_unchanged"
  )
})

it.effect("no more than a hundred issues are listed", () =>
  Effect.gen(function* () {
    const found = yield* verify(claim(changes(...Array.from({ length: 150 }, (_, n) => `src/${n}`))))
    expect(found.length).toBe(101)
    expect(found[100]).toBe("more_issues: 50 more issues are not listed.")
  }).pipe(Effect.provide(world({ "/work": {} })))
)
