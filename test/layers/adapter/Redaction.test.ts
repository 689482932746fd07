import { expect } from "bun:test"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Option, Schema } from "effect"
import { into, intoKeepingRaw } from "../../../layers/adapter/Evidence.ts"
import type { LogFile } from "../../../src/artifact/AuditFolder.ts"
import { noSecrets, redactorOf } from "../../../src/domain/Redactor.ts"
import { encodings, traces } from "../../domain/forms.ts"
import { isLong } from "../../support/breadth.ts"
import { execute, reasonOf, shell } from "../../support/children/script.ts"
import { temporaryFolder } from "../../support/children/support.ts"
import { it } from "../../support/effect.ts"

const SECRET = 'hunter22/"ä"+ok'

/** Runs `sh -c script` with an env file that holds `TOKEN`; answers it with all that its audit folder holds. */
const withToken = (script: string, changes: Parameters<typeof execute>[0] = {}, job = {}) =>
  Effect.gen(function* () {
    const path = join(yield* temporaryFolder, "adapter.env")
    writeFileSync(path, `TOKEN=${SECRET}\nPORT=8080\n`, { mode: 0o600 })
    const envFile = Option.some({ given: "adapter.env", path })
    const told = yield* execute({ ...shell(script), envFile, ...changes }, job)
    const folder = told.audit.path
    const stored = readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"))
    return { ...told, stored: stored.join("\n") }
  })

const expectNoTrace = (text: string, secret = SECRET) => {
  for (const trace of traces(secret)) expect(text).not.toContain(Buffer.from(trace).toString("latin1"))
}

it.live("every form of a secret is masked in both logs and in the last message, which comes back raw", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const lines = Object.values(encodings).map((encode) => `<${encode(SECRET)}>`)
    writeFileSync(join(folder, "lines"), lines.join("\n"))
    const { execution, file, stored } = yield* withToken(
      `cat ${folder}/lines; cat ${folder}/lines >&2; exit 1`
    )
    expectNoTrace(stored)
    expect(execution.lastMessage).toBe(lines.join("\n"))
    for (const text of [
      file("stdout.log"),
      file("stderr.log"),
      execution.redactor.text(execution.lastMessage)
    ])
      expect(text.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(lines.length)
    expect(reasonOf({ execution })).toContain("[redacted]")
    expectNoTrace(`${reasonOf({ execution })}${execution.hintText}`)
    expect(execution.redactor.holds(SECRET)).toBe(true)
  })
)

it.live("a secret that comes in two writes is masked, on both streams", () =>
  Effect.gen(function* () {
    const { execution, file, stored } = yield* withToken(
      // The second write waits until the first has come to the log: up to the part that may be a secret.
      `first=$(printf %s "$TOKEN" | cut -c1-5); rest=$(printf %s "$TOKEN" | cut -c6-)
      until_seen() { until grep -q '^a ' "$AGENT_RUNTIME_AUDIT_DIR/$1"; do sleep 0.01; done; }
      printf "a $first"; until_seen stdout.log; echo "$rest b"
      printf "a $first" >&2; until_seen stderr.log; echo "$rest b" >&2`
    )
    expectNoTrace(stored)
    expect([file("stdout.log"), file("stderr.log")]).toEqual(["a [redacted] b\n", "a [redacted] b\n"])
    expect(execution.lastMessage).toBe(`a ${SECRET} b\n`)
  })
)

it.live("what may be the beginning of a secret is written once the child has ended", () =>
  Effect.gen(function* () {
    const { file } = yield* withToken("printf 'ends with hunter22/'")
    expect(file("stdout.log")).toBe("ends with hunter22/")
  })
)

it.live(
  "a payload holds no secret in its file, and the child reads there what it reads by stdin and its variable",
  () =>
    Effect.gen(function* () {
      const { execution, file, stored } = yield* withToken(
        'cat; echo; printf "%s\\n" "$AGENT_RUNTIME_TASK_PAYLOAD_JSON"; cat "$AGENT_RUNTIME_PAYLOAD_PATH"',
        {},
        { payload: { note: `later ${SECRET}`, n: 1 } }
      )
      const masked = '{"note":"later [redacted]","n":1}'
      expect(execution.lastMessage.trim().split("\n")).toEqual([masked, masked, masked])
      expect(file("payload.json")).toBe(masked)
      expectNoTrace(stored)
    })
)

it.live("arguments with a secret are handed to the child and masked in invocation.json", () =>
  Effect.gen(function* () {
    const { execution, file, stored } = yield* withToken('echo "$1" | wc -c', {}, { args: [SECRET] })
    expect(execution.lastMessage.trim()).toBe(String(Buffer.byteLength(SECRET) + 1))
    expectNoTrace(stored)
    expect(JSON.parse(file("invocation.json"))).toMatchObject({
      args: ["-c", 'echo "$1" | wc -c', "script", "[redacted]"],
      env: { TOKEN: "[redacted]" }
    })
  })
)

it.live("a last message that is cut never begins with the rest of a secret", () =>
  Effect.gen(function* () {
    const { execution, stored } = yield* withToken(
      'i=0; while [ $i -lt 100 ]; do printf "%s " "$TOKEN"; i=$((i+1)); done > part; while [ $i -lt 1000 ]; do cat part; i=$((i+1)); done'
    )
    expect(execution.lastMessage.length).toBeLessThan(1 << 20)
    expect(execution.redactor.text(execution.lastMessage)).toMatch(/^ ?(\[redacted\] )+$/)
    expectNoTrace(stored)
  })
)

it.live("numbers and paths of an env file are left as they are", () =>
  Effect.gen(function* () {
    const { file } = yield* withToken('echo "$PORT at 8080 in $HOME"')
    expect(file("stdout.log")).toBe("8080 at 8080 in /root\n")
  })
)

const nothing = (): LogFile & { readonly largest: () => number } => {
  let bytes = 0
  let largest = 0
  return {
    write: (chunk) => {
      bytes += chunk.length
      largest = Math.max(largest, chunk.length)
    },
    size: () => bytes,
    tail: () => "",
    truncated: () => false,
    problem: () => Option.none(),
    largest: () => largest
  }
}

it.live("a status far before the kept end is noticed where secrets are masked, too", () =>
  Effect.gen(function* () {
    const { execution, stored } = yield* withToken(
      `echo "{\\"status\\":\\"blocked\\",\\"x\\":\\"$TOKEN\\"}"; head -c 1100000 /dev/zero | tr '\\0' a`
    )
    expect(execution.answerCut).toBe(true)
    expect(execution.lastMessage).toMatch(/^a+$/)
    expectNoTrace(stored)
  })
)

it.prop(
  "however a stream is split, a status in it is noticed",
  Schema.Struct({
    before: Schema.String,
    after: Schema.String,
    sizes: Schema.NonEmptyArray(Schema.Int.pipe(Schema.between(1, 9)))
  }),
  ({ after, before, sizes }) =>
    Effect.sync(() => {
      const named = (text: string) => {
        const kept = intoKeepingRaw(nothing(), noSecrets)
        const bytes = Buffer.from(text)
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const size = sizes[n % sizes.length] ?? 1
          // The memory of a chunk is the pipe's: it is filled again.
          const chunk = Buffer.from(bytes.subarray(at, at + size))
          kept.sink.write(chunk)
          chunk.fill(0)
          at += size
        }
        expect(kept.cut()).toBe(false)
        return kept.namesStatus()
      }
      expect(named(`${before}"status"${after}`)).toBe(true)
      const without = `${before}"statu${after}`
      expect(named(without)).toBe(without.includes('"status"'))
    })
)

const MEGABYTES = isLong ? 100 : 24

it.live("many megabytes pass in time that grows with their number, and in bounded memory", () =>
  Effect.gen(function* () {
    const values = ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", SECRET, "aaaaaaaaaaaaaaaaaaaab"]
    const redactor = redactorOf(values)
    const chunk = Buffer.from("a line of log, hunter2 and ghp_16C7e42F, aaaaaaaaaaaaaaaa\n".repeat(2_000))
    const pass = (count: number) => {
      const log = nothing()
      const sink = into(log, redactor)
      const began = performance.now()
      for (let n = 0; n < count; n++) sink.write(chunk)
      sink.end()
      expect(log.size()).toBe(count * chunk.length)
      expect(log.largest()).toBeLessThan(70_000)
      return performance.now() - began
    }
    const times = Math.ceil((MEGABYTES * 1e6) / chunk.length / 4)
    pass(times)
    const before = process.memoryUsage.rss()
    const [quarter, whole] = [pass(times), pass(4 * times)]
    expect(whole / quarter).toBeLessThan(16)
    expect((process.memoryUsage.rss() - before) >> 20).toBeLessThan(100)
  })
)
