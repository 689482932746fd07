import { describe, expect, test } from "bun:test"
import { Cause, Schema } from "effect"
import { ArtifactFailed, PathRefused } from "../../src/artifact/ArtifactStore.ts"
import { AuditFailed } from "../../src/artifact/AuditFolder.ts"
import { failureOf, render } from "../../src/cli/Failure.ts"
import { OutputFailed } from "../../src/cli/Output.ts"
import { UsageError } from "../../src/cli/UsageError.ts"
import { ConfigInvalid, ConfigMissing } from "../../src/config/ConfigError.ts"
import { Invalid } from "../../src/config/Issues.ts"
import { LockUnusable } from "../../src/dispatch/Lock.ts"
import { ROOM_REMEDY } from "../../src/domain/HostRoom.ts"
import { Refusal } from "../../src/operate/Refusal.ts"
import { RecordInvalid, StoreUnavailable } from "../../src/store/StoreError.ts"

class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", { by: Schema.String }) {
  override get message(): string {
    return `the lock is held\nby ${this.by}`
  }
}

const problem = (path: string) => ({
  kind: "rule" as const,
  path,
  found: "found 0",
  expected: "an integer >= 1",
  remedy: ""
})
const told = (error: unknown) => {
  const failure = failureOf("agent-runtime", Cause.fail(error))
  return { text: render("agent-runtime", failure, false), code: failure.code, exit: failure.exitCode }
}

const cases: ReadonlyArray<
  readonly [name: string, error: unknown, text: string, code: string, exit: 1 | 2 | 3]
> = [
  [
    "wrong usage",
    new UsageError({
      command: "task-show",
      problems: [
        { wrong: "ID is missing", remedy: "" },
        { wrong: "no such option", remedy: "did you mean `--x`?" }
      ]
    }),
    "agent-runtime: ID is missing\nagent-runtime: no such option; did you mean `--x`?\nRun `agent-runtime task-show --help` for what it takes.\n",
    "usage",
    2
  ],
  [
    "input that does not fit, a line each",
    new Invalid({ problems: [problem("a"), problem("b")] }),
    "agent-runtime: a: found 0; expected an integer >= 1\nagent-runtime: b: found 0; expected an integer >= 1\n",
    "input_invalid",
    2
  ],
  [
    "a lock file that cannot be used",
    new LockUnusable({ path: "/s/dispatch.lock", reason: "EISDIR", remedy: "set another lockPath" }),
    "agent-runtime: the lock file /s/dispatch.lock cannot be used: EISDIR\nset another lockPath\n",
    "lock_unusable",
    3
  ],
  [
    "a configuration that does not fit, with its file",
    new ConfigInvalid({
      path: "/c/runtime.json",
      problems: [{ file: "/c/runtime.json", ...problem("maxAttempts") }]
    }),
    "agent-runtime: /c/runtime.json: maxAttempts: found 0; expected an integer >= 1\n",
    "config_invalid",
    2
  ],
  [
    "a configuration that is missing, with the way to make one",
    new ConfigMissing({ path: "/c/my.json" }),
    "agent-runtime: there is no configuration file at /c/my.json\ncopying config/runtime.example.json makes one in its folder; anywhere, agent-runtime agent-init NAME makes one with all that it needs\n",
    "config_missing",
    2
  ],
  [
    "a store that is not available",
    new StoreUnavailable({ path: "/s/db", reason: "it is locked", remedy: "End the other program." }),
    "agent-runtime: the store /s/db is not available: it is locked\nEnd the other program.\n",
    "store_unavailable",
    3
  ],
  [
    "a refusal",
    new Refusal({ code: "task_not_found", message: "there is no task x", hint: "List them." }),
    "agent-runtime: there is no task x\nList them.\n",
    "task_not_found",
    1
  ],
  [
    "a refusal of input",
    new Refusal({ code: "choice_not_offered", message: "x is not offered", exitCode: 2 }),
    "agent-runtime: x is not offered\n",
    "choice_not_offered",
    2
  ],
  [
    "evidence that cannot be used",
    new ArtifactFailed({ path: "/s/artifacts", reason: "EACCES" }),
    "agent-runtime: the evidence in artifactDir cannot be used: /s/artifacts: EACCES\nCheck the disk's space and the rights of artifactDir, then try again.\n",
    "artifacts_unavailable",
    3
  ],
  [
    "an audit folder for which the host has no room",
    new AuditFailed({ path: "/s/artifacts/adapter-runs", reason: "EMFILE" }),
    `agent-runtime: the evidence in artifactDir cannot be used: /s/artifacts/adapter-runs: EMFILE\n${ROOM_REMEDY}\n`,
    "artifacts_unavailable",
    3
  ],
  [
    "an error without a message, by its tag and what it holds",
    new PathRefused({ path: "../x", why: "leads out of the artifact root" }),
    "agent-runtime: path refused; path: ../x; why: leads out of the artifact root\nRun it again with --log-level debug for more.\n",
    "path_refused",
    1
  ],
  [
    "a record that cannot be read",
    new RecordInvalid({ table: "tasks", id: "t1", problem: "payload_json is not JSON" }),
    "agent-runtime: the record t1 in tasks cannot be read: payload_json is not JSON\nIt is as it was; a backup from before may hold it whole.\n",
    "record_invalid",
    1
  ],
  [
    "a closed stdout",
    new OutputFailed({ code: "EBADF" }),
    "agent-runtime: the result cannot be written to stdout (EBADF)\nIt was closed by the caller. What was asked for may be done: look before it is asked for again.\n",
    "output_failed",
    1
  ],
  [
    "a full disk behind stdout",
    new OutputFailed({ code: "ENOSPC" }),
    "agent-runtime: the result cannot be written to stdout (ENOSPC)\nFree space where stdout goes to. What was asked for may be done: look before it is asked for again.\n",
    "output_failed",
    1
  ],
  [
    "an error without an entry of its own, by its tag and message",
    new LockHeld({ by: "me" }),
    "agent-runtime: the lock is held by me\n",
    "lock_held",
    1
  ]
]

describe("a failure tells its caller", () => {
  for (const [name, error, text, code, exit] of cases)
    test(name, () => expect(told(error)).toEqual({ text, code, exit }))

  test("a bug without a stack", () => {
    const failure = failureOf("agent-runtime", Cause.die(new TypeError("x is\nnot a function")))
    expect(render("agent-runtime", failure, false)).toBe(
      "agent-runtime: internal fault: x is not a function\nThis is a bug; run it again with --log-level debug for the stack.\n"
    )
    expect([failure.code, failure.exitCode]).toEqual(["internal_fault", 1])
  })

  test("everything in one object for machines", () => {
    const failure = failureOf(
      "agent-runtime",
      Cause.fail(new Invalid({ problems: [problem("a"), problem("b")] }))
    )
    expect(JSON.parse(render("agent-runtime", failure, true))).toEqual({
      error: "a: found 0; expected an integer >= 1\nb: found 0; expected an integer >= 1",
      code: "input_invalid",
      hint: null
    })
    expect(render("agent-runtime", failure, true).trimEnd()).not.toContain("\n")
  })

  test("hostile words made visible", () => {
    const failure = failureOf(
      "agent-runtime",
      Cause.fail(new Refusal({ code: "x", message: "no \u001b[2J\nforged: line" }))
    )
    expect(render("agent-runtime", failure, false)).toBe("agent-runtime: no \\e[2J\\nforged: line\n")
  })

  test("all problems of a configuration, however many", () => {
    const problems = Array.from({ length: 70 }, (_, at) => ({ file: "/c.json", ...problem(`a[${at}]`) }))
    const failure = failureOf("agent-runtime", Cause.fail(new ConfigInvalid({ path: "/c.json", problems })))
    for (const json of [true, false]) {
      const told = render("agent-runtime", failure, json)
      for (const { path } of problems) expect(told).toContain(`/c.json: ${path}: found 0`)
      expect(told).not.toContain("more")
    }
  })

  test("at most fifty problems of an input, and how many more there are", () => {
    const failure = failureOf(
      "agent-runtime",
      Cause.fail(new Invalid({ problems: Array.from({ length: 70 }, (_, at) => problem(`a[${at}]`)) }))
    )
    const lines = render("agent-runtime", failure, false).trimEnd().split("\n")
    expect(lines).toHaveLength(51)
    expect(lines.at(-1)).toBe("agent-runtime: and 20 more, which are told once these are mended")
  })
})
