import { Effect, Option, Schema, Stream } from "effect"
import { wantsJson } from "./Arguments.ts"
import { ask } from "./Ask.ts"
import { command, Session } from "./Command.ts"
import { status, table, text } from "./Doc.ts"
import { document, emit, jsonLine, write } from "./Output.ts"
import { Terminal } from "./Terminal.ts"
import { UsageError } from "./UsageError.ts"
import { visible } from "./Width.ts"

interface Asked {
  readonly id: string
  readonly follow: boolean
  readonly stream: "stdout" | "stderr"
}

/** Tells on stderr what is no part of the result. */
const remark = (line: string) =>
  Effect.map(Terminal, ({ report }) => report(`agent-runtime: ${visible(line)}\n`))

/** For people: lines and tabs stay, all else that a terminal would obey is made visible. */
const shown = (log: string): string =>
  log
    .split("\n")
    .map((line) => line.split("\t").map(visible).join("\t"))
    .join("\n")

/** The bytes themselves are what a pipe gets unless JSON was asked for; a terminal never gets them. */
const form = Effect.gen(function* () {
  const { output } = yield* Session
  const { argv } = yield* Terminal
  if (output === "table") return "shown" as const
  return wantsJson(argv) ? ("json" as const) : ("raw" as const)
})

const printLog = ({ follow, id, stream }: Asked) =>
  Effect.gen(function* () {
    const { attemptOf, fileOf, logBytes, logText, present, tail } = yield* Effect.promise(
      () => import("../operate/AttemptLog.ts")
    )
    const attempt = yield* attemptOf(id)
    const as = yield* form
    if (as === "json" && !follow) yield* write(document(yield* ask(async () => tail, { id, stream })))
    else {
      const bytes = logBytes(attempt, fileOf(stream), { from: 0, follow })
      if (as === "raw") yield* Stream.runForEach(bytes, write)
      else
        yield* Stream.runForEach(logText(bytes, 0), (part) =>
          write(
            as === "shown" ? shown(part.text) : jsonLine({ attempt_id: attempt.attemptId, stream, ...part })
          )
        )
    }
    yield* Effect.flatMap(
      present(attempt, fileOf(stream)),
      Option.match({ onNone: () => Effect.void, onSome: remark })
    )
    return undefined
  })

const ended = (ok: boolean | null): string => (ok === null ? "no end" : ok ? "ok" : "failed")

const followSteps = (id: string) =>
  Effect.gen(function* () {
    const { attemptOf } = yield* Effect.promise(() => import("../operate/AttemptLog.ts"))
    const { followedSteps } = yield* Effect.promise(() => import("../operate/AttemptSteps.ts"))
    const { remarks, steps } = followedSteps(yield* attemptOf(id))
    yield* Stream.runForEach(steps, (step) =>
      emit(step, () => [text(`${step.at}  ${ended(step.ok)}  ${step.tool}  ${step.target}`)])
    )
    yield* Effect.flatMap(remarks, Effect.forEach(remark))
    return undefined
  })

const listSteps = (id: string) =>
  Effect.gen(function* () {
    const { attemptOf } = yield* Effect.promise(() => import("../operate/AttemptLog.ts"))
    const { steps, stepsOf } = yield* Effect.promise(() => import("../operate/AttemptSteps.ts"))
    const found = yield* Effect.flatMap(attemptOf(id), stepsOf)
    yield* Effect.forEach(found.remarks, remark)
    return yield* Effect.orDie(Schema.encode(steps.output)(found))
  })

export const attemptLog = command({
  name: "attempt-log",
  group: "Look",
  summary: "what an attempt printed, and the steps of its agent",
  description:
    "Prints the attempt's stdout, the bytes as they are but for secret values, which are told as asterisks; on a terminal and with --output table control characters are shown, not obeyed. With --output json one object { attempt_id, stream, offset, size, truncated, text } with the end of the log, at most its last MiB; with --follow too an object { attempt_id, stream, offset, text } for each part. --steps prints { steps } instead, with --follow an object a line for each step that ended. --follow ends with the attempt. An attempt that has ended without such a log is refused (exit 1); one without steps has none.",
  example: "agent-runtime attempt-log 0196a1b2-0000-7000-8000-000000000002 --follow",
  arguments: [
    { name: "id", required: true, live: "attempts", description: "The attempt's id; task-show lists them." }
  ],
  options: [
    { name: "follow", kind: "flag", description: "Go on with what is written, until the attempt has ended." },
    { name: "stderr", kind: "flag", description: "Its stderr instead of its stdout." },
    {
      name: "steps",
      kind: "flag",
      description: "What its agent did, step by step, where its driver can tell."
    }
  ],
  run: ({ follow, id, stderr, steps }) =>
    Effect.gen(function* () {
      if (steps && stderr)
        return yield* new UsageError({
          command: "attempt-log",
          problems: [{ wrong: "--steps and --stderr exclude each other", remedy: "leave one of them out" }]
        })
      if (!steps) return yield* printLog({ id, follow, stream: stderr ? "stderr" : "stdout" })
      return follow ? yield* followSteps(id) : yield* listSteps(id)
    }),
  view: (found) => [
    table(
      ["at", "is", "tool", "target"],
      (found?.steps ?? []).map((step) => [step.at, status(ended(step.ok)), step.tool, step.target]),
      "no steps"
    )
  ]
})
