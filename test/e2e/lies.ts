import { claims, saying } from "./inPlace.ts"

/** A script that claims more than it did. */
export interface Lie {
  readonly name: string
  /** Shell; runs in the folder of the configuration, whose `state/artifacts` is the artifact root. */
  readonly script: string
  readonly intent?: Readonly<Record<string, unknown>>
  /** What becomes of the task, and the word by which its attempt names the reason. */
  readonly status: "blocked" | "retryable_failure"
  readonly reason: string
}

const artifact = (
  name: string,
  path: string,
  reason: string,
  before = "",
  intent: Readonly<Record<string, unknown>> = {}
): Lie => ({
  name,
  script: `${before}\n${saying(claims({ artifact_paths: [path] }))}`,
  intent,
  status: "blocked",
  reason
})

const change = (name: string, entry: string, reason: string, before = ""): Lie => ({
  name,
  script: `${before}\n${saying(claims({ file_changes: [entry] }))}`,
  status: "blocked",
  reason
})

const undecodable = (name: string, answer: unknown): Lie => ({
  name,
  script: saying(answer),
  status: "retryable_failure",
  reason: "outcome_undecodable"
})

const ROOT = "state/artifacts"
const required = (path: string) => ({ payload: { required_artifacts: [path] } })

/**
 * Before the first of them runs, `state/artifacts/old.md`, `state/artifacts-evil/a.md`, `old.txt` and, one
 * folder up, `../<place>-outside.txt` lie there; `{outside}` and `{place}` stand for absolute paths.
 */
export const lies: ReadonlyArray<Lie> = [
  artifact("an artifact that is not there", "report.md", "artifact_missing"),
  artifact(
    "an artifact written beside the artifact root",
    "astray.md",
    "artifact_missing",
    "echo x > astray.md"
  ),
  artifact("a folder for an artifact", "folder", "artifact_not_a_file", `mkdir -p ${ROOT}/folder`),
  artifact("an artifact that dots lead out to", "../../old.txt", "artifact_refused"),
  artifact(
    "an artifact in a sibling with the root's name in front",
    "../artifacts-evil/a.md",
    "artifact_refused"
  ),
  artifact("that sibling by its absolute path", "{place}/state/artifacts-evil/a.md", "artifact_refused"),
  artifact("an absolute path", "{outside}", "artifact_refused"),
  artifact("a symlink to a file outside", "link.md", "artifact_refused", `ln -s {outside} ${ROOT}/link.md`),
  artifact(
    "a file in a folder that is a symlink out",
    "out/a.md",
    "artifact_refused",
    `ln -s ../artifacts-evil ${ROOT}/out`
  ),
  artifact("a path with a NUL", "a\0b.md", "artifact_refused"),
  artifact(
    "a forged evidence folder",
    "adapter-runs/me/too/result.json",
    "artifact_is_evidence",
    `mkdir -p ${ROOT}/adapter-runs/me/too; echo '{}' > ${ROOT}/adapter-runs/me/too/result.json`
  ),
  artifact(
    "a forged bundle, by a path with dots",
    "x/../bundles/forged.json",
    "artifact_is_evidence",
    `mkdir -p ${ROOT}/bundles ${ROOT}/x; echo '{}' > ${ROOT}/bundles/forged.json`
  ),
  artifact(
    "evidence behind a symlink",
    "mine.json",
    "artifact_is_evidence",
    `mkdir -p ${ROOT}/snapshots; echo '{}' > ${ROOT}/snapshots/s.json; ln -s snapshots/s.json ${ROOT}/mine.json`
  ),
  artifact("an old file for a declared artifact", "old.md", "artifact_unchanged", "", required("old.md")),
  artifact(
    "a declared artifact that was only touched",
    "old.md",
    "artifact_unchanged",
    `touch -d 2099-01-01 ${ROOT}/old.md`,
    required("old.md")
  ),
  artifact(
    "silence about a declared artifact",
    "other.md",
    "artifact_missing",
    `echo x > ${ROOT}/other.md`,
    required("never.md")
  ),
  {
    ...artifact("an old artifact in a story", "old.md", "artifact_unchanged"),
    intent: { kind: "github-story" }
  },
  change("a changed file that is not there", "created: src/new.ts", "file_change_missing"),
  change("a changed file that is as it was", "modified: ./old.txt", "file_change_without_effect"),
  change("a deleted file that is still there", "deleted: ./old.txt", "file_change_without_effect"),
  change("a changed file outside", "modified: {outside}", "file_change_outside", "echo more >> {outside}"),
  change(
    "a changed file that dots lead out to",
    "modified: ../{outsideName}",
    "file_change_outside",
    "echo more >> {outside}"
  ),
  change(
    "a changed file behind a symlink out",
    "modified: ./link.txt",
    "file_change_outside",
    "ln -sf {outside} link.txt; echo more >> link.txt"
  ),
  {
    ...change(
      "file changes in a summary-only kind",
      "created: made.txt",
      "summary_only",
      "echo x > made.txt"
    ),
    intent: { kind: "discord-reply" }
  },
  undecodable("an outcome without a summary", { status: "completed", machine_status: "ok" }),
  undecodable("a status that is not one", claims({ status: "done" })),
  undecodable("work in progress", claims({ status: "in_progress" })),
  undecodable("a status of the wrong type", claims({ status: 1 })),
  {
    name: "much noise after an outcome that says blocked",
    script: `${saying(claims({ status: "blocked", machine_status: "blocked" }))}\nhead -c 1100000 /dev/zero | tr '\\0' a`,
    status: "retryable_failure",
    reason: "outcome_undecodable"
  },
  {
    name: "an outcome that is longer than what is read of it",
    script: `printf '%s' '{"status":"blocked","operator_summary":"'\nhead -c 1100000 /dev/zero | tr '\\0' a\necho '","machine_status":"blocked"}'`,
    status: "retryable_failure",
    reason: "outcome_undecodable"
  },
  {
    name: "completion from a command that failed",
    script: `${saying(claims())}\nexit 3`,
    status: "retryable_failure",
    reason: "exit_error"
  },
  {
    name: "completion from a command that was killed",
    script: `${saying(claims())}\nkill -9 $$`,
    status: "retryable_failure",
    reason: "exit_error"
  },
  {
    name: "completion with a machine status that denies it",
    script: saying(claims({ machine_status: "failed" })),
    status: "blocked",
    reason: "machine_status"
  }
]
