import { Deferred, Effect, Exit, Option, type Scope } from "effect"
import type { Execution, Job } from "../../src/adapter/AdapterRegistry.ts"
import type { AuditFailed } from "../../src/artifact/AuditFolder.ts"
import type { CommonSettings } from "../../src/config/AdapterSettings.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { MASK, type Redactor, redactJson } from "../../src/domain/Redactor.ts"
import { steadyMillis } from "../../src/domain/Time.ts"
import { type Usage, unknownUsage } from "../../src/domain/Usage.ts"
import { noEvidence } from "../../src/evidence/NoEvidence.ts"
import { type ChildVerdict, endingVerdict } from "./ChildVerdict.ts"
import { findingsOf, hintsOf, into, type Logs, openLogs } from "./Evidence.ts"
import { later, type ServerFailed } from "./ModelServerCall.ts"
import type { Ending } from "./Process.ts"
import { blank } from "./Script.ts"

/** A longer answer is no answer to a task: it is not read on. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024

/** Stands for the prompt in what is written down of a request. */
export const SEE_PROMPT = "see assembled-context.txt"

/** A request as it is written down, without the prompt's text. */
export interface Sent {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
}

/** What a conversation has come to so far; it stays when a limit or a stop ends the conversation. */
export interface Account {
  /** The model did something other than `say`, which is heard anyway: the silence is over. */
  readonly heard: () => void
  /** Takes a piece of the answer's text, which ends the silence; answers what ends the attempt when there is too much of it. */
  readonly say: (text: string) => Option.Option<ServerFailed>
  /**
   * The model has come to its end, and only what a server may add to that is still waited for: no silence ends the
   * attempt any more, and where `timeoutMs` does, it is as `judge` tells: none when nothing is wrong with the answer.
   */
  readonly finished: (judge: () => Option.Option<ServerFailed>) => void
  /** Characters of the answer so far. */
  readonly said: () => number
  /** A line of stderr.log. */
  readonly note: (line: string) => void
  /** A finding for the attempt's `issues`. */
  readonly remark: (finding: string) => void
  /** Takes figures; one that is none leaves what was told of it before. */
  readonly spent: (usage: Partial<Usage>) => void
  /** Seconds that the server asks to wait beside its answer; they count where that is not a completed one. */
  readonly asksToWait: (seconds: Option.Option<number>) => void
  /** Tells of a fact; a later one of the same name replaces it. */
  readonly fact: (facts: JsonObject) => void
  /** Writes `invocation.json`, secret values masked; the last one stands. */
  readonly sending: (sent: Sent) => Effect.Effect<void, AuditFailed>
}

/** One attempt at a model server: what differs between the kinds of servers is the conversation. */
export interface Attempt {
  readonly job: Job
  readonly settings: Pick<CommonSettings, "timeoutMs" | "noOutputTimeoutMs">
  readonly redactor: Redactor
  /** Succeeds once the answer is whole; interrupted when a limit or a stop comes first. */
  readonly converse: (account: Account) => Effect.Effect<void, ServerFailed | AuditFailed, Scope.Scope>
}

/**
 * Runs one attempt with the evidence that every mode leaves: the answer's text in stdout.log as it comes, notes
 * on the protocol in stderr.log. Never fails. `timeoutMs`, silence of the model of `noOutputTimeoutMs` (before its
 * first word, too) and `job.stop` end it at once, the connection closed.
 */
export const attempt = (one: Attempt): Effect.Effect<Execution> =>
  Effect.gen(function* () {
    const { job, redactor } = one
    yield* job.audit.putAll({
      "assembled-context.txt": redactor.text(job.prompt),
      "payload.json": JSON.stringify(redactJson(job.payload, redactor))
    })
    const logs = yield* openLogs(job)
    const ledger = yield* ledgerOf(one, logs)
    const end = yield* ending(one, ledger)
    const verdict = verdictOf(end, ledger.asked())
    ledger.close(Option.map(verdict.reason, redactor.text))
    return {
      ...blank,
      ...verdict,
      ...ledger.told(),
      lastMessage: ledger.answer(),
      redactor,
      hintText: hintsOf(logs),
      diagnostics: [...ledger.remarks, ...findingsOf(logs)]
    }
  }).pipe(
    Effect.scoped,
    Effect.catchTag("AuditFailed", (cause) =>
      Effect.succeed({ ...blank, redactor: one.redactor, ...noEvidence(cause) })
    )
  )

type End =
  | { readonly _tag: "Whole" }
  | { readonly _tag: "Failed"; readonly failure: ServerFailed }
  | Extract<Ending, { readonly _tag: "TimedOut" | "Silent" | "Stopped" }>

const ending = ({ converse, job, settings }: Attempt, ledger: Ledger): Effect.Effect<End, AuditFailed> => {
  const conversation = converse(ledger.account).pipe(
    Effect.scoped,
    Effect.as<End>({ _tag: "Whole" }),
    Effect.catchTag("ServerFailed", (failure) => Effect.succeed<End>({ _tag: "Failed", failure })),
    // A race waits for the first success: what failed or died otherwise has to win it, too.
    Effect.exit
  )
  const limits: ReadonlyArray<Effect.Effect<End>> = [
    Effect.map(Effect.sleep(settings.timeoutMs), () =>
      Option.getOrElse(ledger.judged(), (): End => ({ _tag: "TimedOut", afterMs: settings.timeoutMs }))
    ),
    silence(settings.noOutputTimeoutMs, ledger),
    Effect.map(Deferred.await(job.stop), (reason): End => ({ _tag: "Stopped", reason }))
  ]
  return Effect.flatten(
    Effect.raceAll<Effect.Effect<Exit.Exit<End, AuditFailed>>>([
      conversation,
      ...limits.map((limit) => Effect.map(limit, (end) => Exit.succeed(end)))
    ])
  )
}

const silence = (limit: Option.Option<number>, { lastHeard }: Ledger): Effect.Effect<End> =>
  Option.match(limit, {
    onNone: () => Effect.never,
    onSome: (forMs) =>
      Effect.clock.pipe(
        Effect.map((clock) => lastHeard() + forMs - steadyMillis(clock)),
        Effect.tap((left) => (left > 0 ? Effect.sleep(left) : Effect.void)),
        Effect.repeat({ until: (left) => left <= 0 }),
        Effect.as<End>({ _tag: "Silent", forMs })
      )
  })

const verdictOf = (
  end: End,
  retryAfterSeconds: Option.Option<number>
): Pick<Execution, keyof ChildVerdict | "retryAfterSeconds"> => {
  switch (end._tag) {
    case "Whole":
      return { exitStatus: "ok", retryClass: "none", reason: Option.none(), retryAfterSeconds }
    case "Failed": {
      const { reason, retryAfterSeconds: own, retryClass } = end.failure
      return {
        exitStatus: "error",
        retryClass,
        reason: Option.some(reason),
        retryAfterSeconds: retryClass === "retryable" ? Option.orElse(own, () => retryAfterSeconds) : own
      }
    }
    default:
      return { ...endingVerdict(end, ""), retryAfterSeconds }
  }
}

interface Ledger {
  readonly account: Account
  /** When, by the clock that cannot be set; never again once the model has come to its end. */
  readonly lastHeard: () => number
  /** How a conversation whose model has come to its end went; none before that. */
  readonly judged: () => Option.Option<End>
  /** Ends the logs, with the reason as stderr's last line. */
  readonly close: (reason: Option.Option<string>) => void
  readonly answer: () => string
  readonly told: () => Pick<Execution, "usage" | "facts">
  readonly asked: () => Option.Option<number>
  readonly remarks: ReadonlyArray<string>
}

const ledgerOf = ({ job, redactor }: Attempt, logs: Logs): Effect.Effect<Ledger> =>
  Effect.map(Effect.clock, (clock) => {
    const out = into(logs.stdout, redactor)
    const err = into(logs.stderr, redactor)
    const encoder = new TextEncoder()
    const pieces: Array<string> = []
    const remarks: Array<string> = []
    let lastHeard = steadyMillis(clock)
    let judge: Option.Option<() => Option.Option<ServerFailed>> = Option.none()
    let bytes = 0
    let characters = 0
    let half = ""
    let usage: Usage = unknownUsage
    let facts: JsonObject = {}
    let wait = Option.none<number>()
    const note = (line: string) => err.write(encoder.encode(`${line}\n`))
    // JSON may split a surrogate pair over two pieces: UTF-8 can only be made of both halves.
    const write = (text: string) => {
      const whole = half + text
      half = /[\ud800-\udbff]$/.test(whole) ? whole.slice(-1) : ""
      const encoded = encoder.encode(half === "" ? whole : whole.slice(0, -1))
      bytes += encoded.length
      if (encoded.length > 0) out.write(encoded)
    }
    const heard = () => {
      lastHeard = Option.isSome(judge) ? Number.POSITIVE_INFINITY : steadyMillis(clock)
    }
    const account: Account = {
      heard,
      say: (text) => {
        if (text === "") return Option.none()
        heard()
        pieces.push(text)
        characters += text.length
        write(text)
        return bytes > MAX_ANSWER_BYTES
          ? Option.some(later(`the answer is longer than ${MAX_ANSWER_BYTES} bytes: it was not read on`))
          : Option.none()
      },
      finished: (by) => {
        judge = Option.some(by)
        heard()
      },
      said: () => characters,
      note,
      remark: (finding) => {
        remarks.push(finding)
        note(finding)
      },
      spent: (more) => {
        usage = {
          inputTokens: Option.orElse(more.inputTokens ?? Option.none(), () => usage.inputTokens),
          outputTokens: Option.orElse(more.outputTokens ?? Option.none(), () => usage.outputTokens),
          cachedTokens: Option.orElse(more.cachedTokens ?? Option.none(), () => usage.cachedTokens),
          costUsd: Option.orElse(more.costUsd ?? Option.none(), () => usage.costUsd)
        }
      },
      asksToWait: (seconds) => {
        wait = seconds
      },
      fact: (more) => {
        facts = { ...facts, ...more }
      },
      sending: ({ body, headers, url }) => {
        const shown = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, name === "authorization" ? MASK : value])
        )
        const sent = { method: "POST", url: url.href, headers: shown, body, note: `prompt: ${SEE_PROMPT}` }
        return job.audit.put("invocation.json", `${JSON.stringify(redactJson(sent, redactor), null, 2)}\n`)
      }
    }
    return {
      account,
      lastHeard: () => lastHeard,
      judged: () =>
        Option.map(judge, (by) =>
          Option.match(by(), {
            onNone: (): End => ({ _tag: "Whole" }),
            onSome: (failure): End => ({ _tag: "Failed", failure })
          })
        ),
      close: (reason) => {
        if (half !== "") out.write(encoder.encode(half))
        out.end()
        if (Option.isSome(reason)) note(reason.value)
        err.end()
      },
      answer: () => pieces.join(""),
      told: () => ({ usage, facts }),
      asked: () => wait,
      remarks
    }
  })
