import { expect } from "bun:test"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Option } from "effect"
import type { StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import { fullAudit } from "../../support/audits.ts"
import { executeAgent, shellDriver } from "../../support/children/agent.ts"
import { reasonOf } from "../../support/children/script.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

/** Settings that there is something to be told of, and what. */
const WARNED = { inheritEnv: ["NOTIFY_SOCKET"] }
const WARNING = "inheritEnv names NOTIFY_SOCKET, which is never handed to a child"

it.live(
  "the program gets the prompt by stdin and its files in a private scratch folder that goes with it",
  () =>
    Effect.gen(function* () {
      const script =
        'cat "$1/given.txt"; echo; stat -c "%a" "$1" "$1/given.txt"; printf "say "; cat; echo; echo noise >&2'
      const { execution, file, folder } = yield* executeAgent(shellDriver(script))
      expect(execution).toMatchObject({ exitStatus: "ok", retryClass: "none", lastMessage: "the prompt" })
      expect(file("stdout.log")).toBe("for the program\n700\n600\nsay the prompt\n")
      expect(file("stderr.log")).toBe("noise\n")
      expect(readdirSync(join(folder, "state", "scratch"))).toEqual([])
      expect(JSON.parse(file("invocation.json"))).toMatchObject({
        command: "sh",
        cwd: folder,
        args: ["-c", script, "agent", expect.stringContaining("/state/scratch/")],
        note: expect.stringContaining("stdin")
      })
    })
)

it.live("a prompt of 300 KB travels whole, with characters of every size", () =>
  Effect.gen(function* () {
    const prompt = `# Task\n${"añ😀 ".repeat(40_000)}`
    const { execution } = yield* executeAgent(shellDriver('echo "say $(wc -c)"'), {}, { prompt })
    expect(execution.lastMessage).toBe(String(Buffer.byteLength(prompt)))
    expect(Buffer.byteLength(prompt)).toBeGreaterThan(300_000)
  })
)

it.live(
  "the environment is clean: the driver's own as defaults, then the adapter's, then the runtime's",
  () =>
    Effect.gen(function* () {
      const { execution, attemptId, file } = yield* executeAgent(
        shellDriver('echo "say $BY_DRIVER $OVERRIDDEN $AGENT_RUNTIME_ATTEMPT_ID [$TOKEN]"'),
        { env: { OVERRIDDEN: "adapter", AGENT_RUNTIME_ATTEMPT_ID: "forged" } }
      )
      expect(execution.lastMessage).toBe(`default adapter ${attemptId} []`)
      expect(JSON.parse(file("invocation.json")).env).toMatchObject({
        BY_DRIVER: "default",
        OVERRIDDEN: "adapter",
        AGENT_RUNTIME_NAME: "rt",
        AGENT_RUNTIME_TASK_PAYLOAD_JSON: '{"n":1}'
      })
    })
)

it.live("no file and no reason holds a secret, split or not; the message stays raw for decoding", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const [envFile, secret] = [join(folder, "agent.env"), join(folder, "secret")]
    writeFileSync(envFile, "FROM_FILE=hidden-one\n", { mode: 0o600 })
    writeFileSync(secret, "hidden-two\n", { mode: 0o600 })
    const script = [
      'echo "step sh $REF $FROM_FILE"',
      'echo "say $REF"',
      'printf "hidden-"; sleep 0.05; printf "one\\n"',
      'printf "hidden-two" | base64',
      'echo "bad key $REF" >&2',
      "exit 7"
    ].join("; ")
    const told = yield* executeAgent(shellDriver(script), {
      envFile: Option.some({ given: "agent.env", path: envFile }),
      env: { REF: { secretFile: { given: "secret", path: secret } } }
    })
    const { audit, execution } = told
    for (const name of readdirSync(audit.path))
      expect(readFileSync(join(audit.path, name), "utf8")).not.toMatch(/hidden-(one|two)|aGlkZGVuLXR3b/)
    expect(told.file("stdout.log")).toBe(
      "step sh [redacted] [redacted]\nsay [redacted]\n[redacted]\n[redacted]==\n"
    )
    expect(JSON.parse(told.file("steps.jsonl"))).toMatchObject({
      tool: "sh",
      target: "[redacted] [redacted]"
    })
    expect(reasonOf(told)).toBe("program said: bad key [redacted]")
    expect(execution.lastMessage).toBe("hidden-two")
    expect(execution.redactor.text("hidden-two")).toBe("[redacted]")
  })
)

it.live("steps are written as they come, one line each, with the runtime's time", () =>
  Effect.gen(function* () {
    const { file } = yield* executeAgent(
      shellDriver('printf "step sh a\\033[31m\\tb\\n"; echo "step edit $(printf "%0999d" 0)"')
    )
    const marks = file("steps.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(marks).toEqual([
      { id: "1", at: expect.stringMatching(/^\d{4}-.*\dZ$/), tool: "sh", target: "a b", ok: true },
      { id: "1", at: expect.any(String), tool: "edit", target: `${"0".repeat(499)}…`, ok: true }
    ])
  })
)

it.live("a line of 20 MiB is dropped and told, the lines around it are read", () =>
  Effect.gen(function* () {
    const { execution } = yield* executeAgent(
      shellDriver("echo first; head -c 20971520 /dev/zero | tr '\\0' a; echo; echo say after")
    )
    expect(execution).toMatchObject({ exitStatus: "ok", lastMessage: "after", facts: { lines: 2 } })
    expect(execution.diagnostics).toEqual(["1 lines of stdout were longer than 8388608 bytes and not read"])
  })
)

it.live("garbage is kept as it is and read as far as it can be", () =>
  Effect.gen(function* () {
    const { audit, execution } = yield* executeAgent(
      shellDriver("printf '\\377\\000\\n{\\n\\342\\202\\nsay done\\n'")
    )
    expect(execution).toMatchObject({ exitStatus: "ok", lastMessage: "done", facts: { lines: 4 } })
    expect([...readFileSync(join(audit.path, "stdout.log"))].slice(0, 3)).toEqual([0xff, 0, 0x0a])
  })
)

it.live("silence and a timeout end it, with what was read until then", () =>
  Effect.gen(function* () {
    const silent = yield* executeAgent(shellDriver("echo say half; sleep 60"), {
      noOutputTimeoutMs: Option.some(150)
    })
    expect(silent.execution).toMatchObject({
      exitStatus: "timeout",
      retryClass: "retryable",
      lastMessage: "half"
    })
    expect(reasonOf(silent)).toBe("no output for 150 ms")
    const slow = yield* executeAgent(shellDriver("echo waiting >&2; (setsid sleep 60 &); sleep 60"), {
      timeoutMs: 200
    })
    expect([slow.execution.exitStatus, reasonOf(slow)]).toEqual([
      "timeout",
      "timed out after 200 ms: waiting"
    ])
    expect(slow.execution.survivors).toEqual([])
  })
)

it.live("a program that is told to end is canceled, even where it then exits with 0", () =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    const told = yield* executeAgent(
      shellDriver("trap 'echo say finished; exit 0' TERM; while :; do sleep 0.02; done"),
      {},
      { stop, started: () => Effect.asVoid(Deferred.succeed(stop, "cancel")) }
    )
    expect(told.execution).toMatchObject({ exitStatus: "canceled", retryClass: "none" })
    expect(reasonOf(told)).toBe("canceled by an operator")
  })
)

it.live("a program that dies half-way is no success, whatever its driver makes of it", () =>
  Effect.gen(function* () {
    const killed = yield* executeAgent(shellDriver("echo say done; kill -KILL $$"))
    expect([killed.execution.exitStatus, killed.execution.retryClass, reasonOf(killed)]).toEqual([
      "error",
      "retryable",
      "killed by SIGKILL"
    ])
    const failed = yield* executeAgent(shellDriver("echo say done; echo why >&2; exit 3"))
    expect([failed.execution.exitStatus, reasonOf(failed)]).toEqual(["error", "exit code 3: why"])
  })
)

it.live("a fault of a reader is the attempt's end, by name, and the output is kept", () =>
  Effect.gen(function* () {
    const fault = () => {
      throw new Error("no such thing")
    }
    const readers = [
      { line: fault, told: fault },
      { line: () => [], told: fault }
    ]
    for (const reader of readers) {
      const told = yield* executeAgent(shellDriver("echo one; echo two", { reader: () => reader }))
      expect([told.execution.exitStatus, told.execution.retryClass]).toEqual(["error", "none"])
      expect(reasonOf(told)).toMatch(
        /could not be read, by a fault of agent-runtime: no such thing; .*stdout\.log/
      )
      expect(told.file("stdout.log")).toBe("one\ntwo\n")
    }
  })
)

it.live("what a program can do is asked before it is started; without an answer it is not started", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const asked = join(folder, "asked")
    const ask = (script: string) => ({
      examine: Option.some({
        args: ["-c", script],
        abilities: (output: string) => new Set(output.trim().split(" "))
      })
    })
    const invoke = shellDriver("").invoke
    const able = shellDriver("", {
      ...ask(`echo x >> ${asked}; echo red blue`),
      invoke: (plan) => ({ ...invoke(plan), args: ["-c", `echo say ${[...plan.abilities].join("+")}`] })
    })
    const { execution } = yield* executeAgent(able)
    expect(execution).toMatchObject({ lastMessage: "red+blue", diagnostics: [] })
    expect(readFileSync(asked, "utf8")).toBe("x\n")
    const mute = yield* executeAgent(shellDriver("echo say on", ask("exit 4")), WARNED)
    expect(mute.execution).toMatchObject({
      exitStatus: "error",
      retryClass: "retryable",
      lastMessage: "",
      diagnostics: [WARNING]
    })
    expect(reasonOf(mute)).toBe(
      "what the program can do could not be found out: -c exit 4: exit code 4; run `sh -c exit 4` as this user to see why"
    )
    expect(JSON.parse(mute.file("invocation.json"))).toMatchObject({ command: "sh", args: [] })
  })
)

it.live("a drain while a program is asked what it can do is a drain, and no lack of the program", () =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    const slow = shellDriver("echo say on", {
      examine: Option.some({ args: ["-c", "sleep 60"], abilities: () => new Set<string>() })
    })
    const told = yield* executeAgent(
      slow,
      {},
      { stop, started: () => Effect.asVoid(Deferred.succeed(stop, "drain")) }
    )
    expect(told.execution).toMatchObject({ exitStatus: "canceled", retryClass: "none", lastMessage: "" })
    expect(reasonOf(told)).toBe("stopped by a drain")
  })
)

it.live("what is to be known of an attempt is told where its driver refuses it, too", () =>
  Effect.gen(function* () {
    const problem = { reason: "a", remedy: "b" }
    const told = yield* executeAgent(
      shellDriver("", { invoke: () => ({ args: [], stdin: "", files: {}, problem }) }),
      WARNED
    )
    expect(told.execution).toMatchObject({ retryClass: "none", diagnostics: [WARNING] })
  })
)

it.live("an objection of the driver, a missing settings file and a missing command are permanent", () =>
  Effect.gen(function* () {
    const objecting = shellDriver("echo say ran", {
      objection: () => Option.some({ reason: "not like this", remedy: "do that" })
    })
    const refused = yield* executeAgent(objecting)
    expect([refused.execution.retryClass, reasonOf(refused)]).toEqual([
      "permanent",
      "cannot start: not like this; do that"
    ])
    const path = "/nowhere/settings.json"
    const unset = yield* executeAgent(shellDriver(""), { settingsFile: Option.some({ given: path, path }) })
    expect(reasonOf(unset)).toMatch(/settings file \/nowhere\/settings\.json cannot be read \(ENOENT\)/)
    const absent = yield* executeAgent(shellDriver(""), { command: { given: "no-such", path: "no-such" } })
    expect([absent.execution.retryClass, reasonOf(absent)]).toEqual([
      "permanent",
      expect.stringMatching(/^cannot start: command no-such is not on PATH; install it/)
    ])
  })
)

it.live("the folder of an attempt whose program was not started is whole", () =>
  Effect.gen(function* () {
    const objection = () => Option.some({ reason: "not like this", remedy: "do that" })
    const nowhere = { given: "no-such", path: "/nowhere/no-such" }
    const extraArgs = ["--flag"]
    const unset = shellDriver("")
    const problem = { reason: "a", remedy: "b" }
    const all = [
      yield* executeAgent(shellDriver("", { objection }), { extraArgs }),
      yield* executeAgent(unset, { extraArgs, settingsFile: Option.some(nowhere) }),
      yield* executeAgent(unset, { extraArgs, command: nowhere }),
      yield* executeAgent(unset, { extraArgs, envFile: Option.some(nowhere) }),
      yield* executeAgent(
        shellDriver("", { invoke: () => ({ args: extraArgs, stdin: "", files: {}, problem }) })
      )
    ]
    for (const { execution, file } of all) {
      expect(execution.exitStatus).toBe("error")
      expect([file("stdout.log"), file("stderr.log")]).toEqual(["", ""])
      expect(JSON.parse(file("invocation.json"))).toMatchObject({
        command: expect.any(String),
        args: extraArgs,
        cwd: expect.any(String),
        env: { AGENT_RUNTIME_NAME: "rt" },
        note: expect.any(String)
      })
      expect(file("payload.json")).toBe('{"n":1}')
    }
  })
)

it.live("a job that a driver will not start like this waits for an operator, and nothing is run", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const { invoke } = shellDriver(`touch ${folder}/ran`)
    const told = yield* executeAgent(
      shellDriver("", {
        invoke: (plan) => ({ ...invoke(plan), problem: { reason: "too long", remedy: "shorten it" } })
      })
    )
    expect([told.execution.retryClass, reasonOf(told)]).toEqual(["none", "too long; shorten it"])
    expect(readdirSync(folder)).toEqual([])
  })
)

it.live("a model that its program would take for an option is not passed on", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const driver = shellDriver(`touch ${folder}/ran`)
    const model = Option.some("--dangerously-bypass-approvals-and-sandbox")
    const why =
      'the model "--dangerously-bypass-approvals-and-sandbox" begins with "-", and the program would take it for an option; correct the task\'s requested_model, or the adapter\'s model'
    const asked = yield* executeAgent(driver, {}, { model })
    expect([asked.execution.exitStatus, asked.execution.retryClass, reasonOf(asked)]).toEqual([
      "error",
      "none",
      why
    ])
    expect(JSON.parse(asked.file("invocation.json"))).toMatchObject({ args: [] })
    const configured = yield* executeAgent(driver, { model })
    expect([configured.execution.retryClass, reasonOf(configured)]).toEqual([
      "permanent",
      `cannot start: ${why}`
    ])
    expect(readdirSync(folder)).toEqual([])
  })
)

it.live("evidence that cannot be written makes the attempt retryable; what ran is still told", () =>
  Effect.gen(function* () {
    const closed = yield* executeAgent(
      shellDriver("echo say ran"),
      {},
      {
        audit: fullAudit
      }
    )
    expect([closed.execution.retryClass, reasonOf(closed)]).toEqual([
      "retryable",
      "the evidence could not be written: /audit below the artifact root: ENOSPC"
    ])
    expect(closed.execution.lastMessage).toBe("")
  })
)
