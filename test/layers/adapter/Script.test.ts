import { expect } from "bun:test"
import { chmodSync, existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Deferred, Effect, Option } from "effect"
import type { StopReason } from "../../../src/adapter/AdapterRegistry.ts"
import type { ScriptSettings } from "../../../src/config/AdapterSettings.ts"
import { fullAudit } from "../../support/audits.ts"
import { execute, host, reasonOf, shell } from "../../support/children/script.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

it.live("exit 0 is ok, and stdout is the message", () =>
  Effect.gen(function* () {
    const { execution, file } = yield* execute(shell("echo done; echo noise >&2"))
    expect(execution).toMatchObject({
      exitStatus: "ok",
      retryClass: "none",
      lastMessage: "done\n",
      stderrEnd: "noise",
      diagnostics: []
    })
    expect(Option.isNone(execution.reason)).toBe(true)
    expect([file("stdout.log"), file("stderr.log")]).toEqual(["done\n", "noise\n"])
  })
)

it.live("another exit code is retryable and names the end of stderr on one line", () =>
  Effect.gen(function* () {
    const failed = yield* execute(shell("printf 'first\\n\\033[31msecond\\033[0m\\n' >&2; exit 9"))
    expect(failed.execution).toMatchObject({ exitStatus: "error", retryClass: "retryable" })
    expect(reasonOf(failed)).toBe("exit code 9: first second")
  })
)

it.live("a signal, a timeout and silence are retryable and say what happened", () =>
  Effect.gen(function* () {
    const killed = yield* execute(shell("kill -KILL $$"))
    expect([killed.execution.exitStatus, killed.execution.retryClass, reasonOf(killed)]).toEqual([
      "error",
      "retryable",
      "killed by SIGKILL"
    ])
    const slow = yield* execute({ ...shell("echo part; sleep 60"), timeoutMs: 100 })
    expect([slow.execution.exitStatus, slow.execution.retryClass, reasonOf(slow)]).toEqual([
      "timeout",
      "retryable",
      "timed out after 100 ms"
    ])
    expect(slow.execution.lastMessage).toBe("part\n")
    const silent = yield* execute({ ...shell("sleep 60"), noOutputTimeoutMs: Option.some(100) })
    expect([silent.execution.exitStatus, reasonOf(silent)]).toEqual(["timeout", "no output for 100 ms"])
  })
)

it.live("a stop makes it canceled, with its processes gone", () =>
  Effect.gen(function* () {
    const stop = yield* Deferred.make<StopReason>()
    const { execution } = yield* execute(shell("sleep 60 & sleep 60"), {
      stop,
      started: () => Effect.asVoid(Deferred.succeed(stop, "drain"))
    })
    expect(execution).toMatchObject({ exitStatus: "canceled", retryClass: "none", survivors: [] })
  })
)

it.live("arguments stand in order: extraArgs, then the payload's", () =>
  Effect.gen(function* () {
    const { execution } = yield* execute(shell('printf "[%s]" "$@"'), { args: ["a b", "", "$x"] })
    expect(execution.lastMessage).toBe("[a b][][$x]")
  })
)

it.live("an untrusted task's arguments are left out, visibly, unless the adapter takes them", () =>
  Effect.gen(function* () {
    const job = { untrusted: true, args: ["evil"] }
    const barred = yield* execute(shell('echo "$#"'), job)
    expect(barred.execution.lastMessage).toBe("0\n")
    expect(barred.execution.diagnostics).toEqual([
      "1 payload.args of an untrusted task were left out (untrustedArgs is false)"
    ])
    const taken = yield* execute({ ...shell('echo "$#"'), untrustedArgs: true }, job)
    expect(taken.execution.lastMessage).toBe("1\n")
  })
)

it.live("the child gets a clean environment with the runtime's variables, and the payload three ways", () =>
  Effect.gen(function* () {
    const traceParent = Option.some("00-trace")
    const { execution, folder, audit, attemptId } = yield* execute(
      {
        ...shell('cat; echo; cat "$AGENT_RUNTIME_PAYLOAD_PATH"; echo; /usr/bin/env'),
        inheritEnv: ["NOTIFY_SOCKET"]
      },
      { traceParent }
    )
    const [stdin, file, ...env] = execution.lastMessage.trim().split("\n")
    expect([stdin, file]).toEqual(['{"n":1}', '{"n":1}'])
    expect(env.filter((line) => !line.startsWith("PWD=")).sort()).toEqual(
      [
        "AGENT_RUNTIME_NAME=rt",
        "AGENT_RUNTIME_TASK_ID=task",
        `AGENT_RUNTIME_ATTEMPT_ID=${attemptId}`,
        `AGENT_RUNTIME_ARTIFACT_DIR=${folder}/artifacts`,
        `AGENT_RUNTIME_STATE_DIR=${folder}/state`,
        `AGENT_RUNTIME_AUDIT_DIR=${audit.path}`,
        "AGENT_RUNTIME_BUNDLE_PATH=/bundles/b.json",
        `AGENT_RUNTIME_PAYLOAD_PATH=${audit.path}/payload.json`,
        'AGENT_RUNTIME_TASK_PAYLOAD_JSON={"n":1}',
        "TRACEPARENT=00-trace",
        `PATH=${host.PATH}`,
        "HOME=/root",
        "LANG=C.UTF-8"
      ].sort()
    )
    expect(execution.diagnostics).toEqual([
      "inheritEnv names NOTIFY_SOCKET, which is never handed to a child"
    ])
  })
)

it.live("a payload beyond 64 KiB travels by file and stdin alone", () =>
  Effect.gen(function* () {
    const payload = { text: "x".repeat(5 << 20) }
    const { execution } = yield* execute(
      shell(
        'printenv AGENT_RUNTIME_TASK_PAYLOAD_JSON || echo unset; wc -c < "$AGENT_RUNTIME_PAYLOAD_PATH"; wc -c'
      ),
      { payload }
    )
    const size = String(JSON.stringify(payload).length)
    expect(execution.lastMessage.split(/\s+/)).toEqual(["unset", size, size, ""])
  })
)

it.live("invocation.json tells the command before the start, and no secret", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const [envFile, secret] = [join(folder, "adapter.env"), join(folder, "secret")]
    writeFileSync(envFile, "FROM_FILE=hidden-one\n", { mode: 0o600 })
    writeFileSync(secret, "hidden-two\n", { mode: 0o600 })
    const { execution, file } = yield* execute({
      ...shell(
        'echo "$FROM_FILE $REF $TOKEN $PLAIN"; cp "$AGENT_RUNTIME_AUDIT_DIR/invocation.json" "$AGENT_RUNTIME_AUDIT_DIR/copy"'
      ),
      envFile: Option.some({ given: "adapter.env", path: envFile }),
      env: { REF: { secretFile: { given: "secret", path: secret } }, PLAIN: "seen" },
      inheritEnv: ["TOKEN"]
    })
    expect(execution.lastMessage).toBe("hidden-one hidden-two t0ken seen\n")
    const text = file("invocation.json")
    expect(file("copy")).toBe(text)
    expect(text).not.toMatch(/hidden|t0ken/)
    expect(JSON.parse(text)).toMatchObject({
      command: "sh",
      env: { FROM_FILE: "[redacted]", REF: "[redacted]", TOKEN: "[redacted]", PLAIN: "seen" }
    })
  })
)

it.live("what cannot start is permanent, with a reason and a remedy, and its folder is whole", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const at = (name: string) => ({ given: name, path: join(folder, name) })
    writeFileSync(at("plain").path, "text", { mode: 0o600 })
    writeFileSync(at("lost").path, "#!/nowhere/python\n", { mode: 0o700 })
    writeFileSync(at("open").path, "s3cret-value", { mode: 0o644 })
    chmodSync(at("open").path, 0o644)
    const cases: ReadonlyArray<readonly [Partial<ScriptSettings>, RegExp]> = [
      [
        { command: { given: "no-such-program", path: "no-such-program" } },
        /no-such-program is not on PATH; install it/
      ],
      [{ command: at("absent") }, /absent is not there/],
      [{ command: at("plain") }, /plain is not executable for this user; chmod \+x/],
      [{ command: at("") }, /is not a file/],
      [{ command: at("lost") }, /asks for the interpreter \/nowhere\/python, which cannot be run/],
      [
        { ...shell("true"), workingDir: Option.some(at("gone")) },
        /working directory .*gone is not there; mkdir -p/
      ],
      [
        { ...shell("true"), envFile: Option.some(at("none.env")) },
        /env file .*none\.env cannot be read \(ENOENT\)/
      ],
      [{ ...shell("true"), env: { A: { secretFile: at("open") } } }, /can be read by others; chmod 600/],
      [{ ...shell("true"), env: { A: { secretEnv: "UNSET_ONE" } } }, /secret variable UNSET_ONE is not set/],
      [{ ...shell("true"), env: { A: { credential: "c" } } }, /systemd handed no credentials over/]
    ]
    for (const [settings, expected] of cases) {
      const told = yield* execute(settings)
      expect(told.execution).toMatchObject({ exitStatus: "error", retryClass: "permanent" })
      expect(reasonOf(told)).toMatch(expected)
      expect(reasonOf(told)).not.toContain("s3cret")
      expect([told.file("stdout.log"), told.file("stderr.log")]).toEqual(["", ""])
      expect(JSON.parse(told.file("invocation.json"))).toMatchObject({
        command: settings.command?.path ?? "sh",
        cwd: expect.any(String),
        env: { AGENT_RUNTIME_NAME: expect.any(String) },
        note: expect.any(String)
      })
      expect(told.file("invocation.json")).not.toContain("s3cret")
    }
    const nul = yield* execute(shell("true"), { args: ["a\0b"] })
    expect(reasonOf(nul)).toMatch(/holds a NUL character/)
    const long = yield* execute(shell("true"), { args: ["x".repeat(3 << 20)] })
    expect([long.execution.retryClass, reasonOf(long)]).toEqual([
      "permanent",
      expect.stringMatching(/longer than the kernel takes/)
    ])
  })
)

it.live("output beyond the limit is cut in the log and named, and the message is its true end", () =>
  Effect.gen(function* () {
    const { execution, file } = yield* execute(
      shell("head -c 70000000 /dev/zero | tr '\\0' a; echo; echo the end")
    )
    expect(execution.diagnostics).toEqual([
      "only the last 1 MiB of stdout was looked at for an outcome",
      "stdout.log was cut at 67108864 bytes"
    ])
    expect(execution.lastMessage.endsWith("a\nthe end\n")).toBe(true)
    expect(execution.lastMessage).toHaveLength(1 << 20)
    expect(file("stdout.log").length).toBeLessThan((64 << 20) + 200)
  })
)

it.live("a status that was printed before the kept end is noticed, wherever its bytes are parted", () =>
  Effect.gen(function* () {
    const long = "head -c 1100000 /dev/zero | tr '\\0' a"
    const cases: ReadonlyArray<readonly [script: string, answerCut: boolean]> = [
      [`echo '{"status":"blocked"}'; ${long}`, true],
      [`printf '{"sta'; sleep 0.05; printf 'tus":"blocked"}'; ${long}`, true],
      [`for c in { '"' s t a t u s '"'; do printf %s "$c"; sleep 0.01; done; ${long}`, true],
      [`printf '{"status":"blocked","x":"'; ${long}; echo '"}'`, true],
      [`${long}; echo '"status"'`, true],
      [`echo 'status: "exit_status" "statu s"'; ${long}`, false],
      [`echo '{"status":"blocked"}'`, false]
    ]
    for (const [script, answerCut] of cases) {
      const { execution } = yield* execute(shell(script))
      expect([script, execution.answerCut]).toEqual([script, answerCut])
      expect(execution.diagnostics).toEqual(
        script.includes(long) ? ["only the last 1 MiB of stdout was looked at for an outcome"] : []
      )
    }
  })
)

it.live("an audit folder that cannot be written makes the attempt retryable, and nothing is run", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const told = yield* execute(shell(`touch ${folder}/ran`), {
      audit: fullAudit
    })
    expect([told.execution.exitStatus, told.execution.retryClass]).toEqual(["error", "retryable"])
    expect(reasonOf(told)).toBe("the evidence could not be written: /audit below the artifact root: ENOSPC")
    expect(existsSync(join(folder, "ran"))).toBe(false)
  })
)
