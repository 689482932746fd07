import { Cause, DateTime, Effect, Either, Exit, Fiber, Logger, LogLevel, Option } from "effect"
import { quoted } from "../domain/Abridged.ts"
import { logLine, logWords } from "../domain/LogLine.ts"
import { parse, type Request, wantsDebug, wantsJson } from "./Arguments.ts"
import { type Bound, type Definition, type Globals, Session, type Shell } from "./Command.ts"
import { type Failure, failureOf, render } from "./Failure.ts"
import { type About, commandHelp, programHelp } from "./Help.ts"
import { hasColours, OutputClosed, session, textOf, write } from "./Output.ts"
import { style } from "./Style.ts"
import { type Signal, Terminal } from "./Terminal.ts"
import { UsageError } from "./UsageError.ts"
import { visible } from "./Width.ts"

/** A program of commands. */
export interface Program extends About {
  readonly commands: readonly [Bound, ...ReadonlyArray<Bound>]
}

/** The usual codes of a program that a signal ended (128 and its number). */
const SIGNAL_CODES: Readonly<Record<Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/**
 * Runs the command line of this process and answers its exit code; all output is with the system by then.
 * A first signal interrupts the command, whose finalizers run; a resident command has then done its work
 * (0), another one has not (129, 130, 143). A reader of stdout that went away is no failure, and one of stderr that
 * stalls holds up no resident command.
 */
export const main = (program: Program): Effect.Effect<number, never, Terminal> =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    const { argv, garbled } = terminal
    if (Option.isSome(garbled)) return yield* fail(program, Cause.fail(notText(garbled.value)))
    const parsed = parse(
      program.commands.map((one) => one.definition),
      argv
    )
    if (Either.isLeft(parsed)) return yield* fail(program, Cause.fail(parsed.left))
    if (!isResident(parsed.right)) return yield* answer(program, parsed.right)
    const { ended, report } = yield* terminal.reportAside(missing)
    return yield* answer(program, parsed.right).pipe(
      Effect.provideService(Terminal, { ...terminal, report }),
      Effect.zipLeft(ended)
    )
  })

/** Stands among the lines of a resident command for those that stderr did not take while nobody read it. */
const missing = (lines: number): Effect.Effect<string> =>
  Effect.map(DateTime.now, (now) => {
    const message = `Lines that are not here, as nobody read them: ${lines}; runtime.jsonl has those from info on`
    return `${JSON.stringify({ at: DateTime.formatIso(now), level: "warn", message })}\n`
  })

const isResident = (request: Request): boolean =>
  request._tag === "Run" && request.definition.resident === true

const answer = (program: Program, request: Request): Effect.Effect<number, never, Terminal> =>
  Effect.gen(function* () {
    const { interrupted } = yield* Terminal
    // Asked first, so that no signal comes between the command's start and its being heard.
    const asked = yield* Effect.fork(interrupted)
    const running = yield* Effect.fork(handle(program, request))
    const ended = yield* Effect.raceFirst(
      Effect.map(Fiber.await(running), (exit) => ({ exit, signal: Option.none<Signal>() })),
      Effect.flatMap(Fiber.join(asked), (signal) =>
        Effect.map(Fiber.interrupt(running), (exit) => ({ exit, signal: Option.some(signal) }))
      )
    )
    if (Exit.isSuccess(ended.exit)) return ended.exit.value
    return yield* explain(program, request, ended.exit.cause, ended.signal)
  })

const notText = (word: string): UsageError =>
  new UsageError({
    command: "",
    problems: [
      {
        wrong: `the argument ${quoted(visible(word))} is not UTF-8 text`,
        remedy: "give it in UTF-8"
      }
    ]
  })

const handle = (program: Program, request: Request): Effect.Effect<number, unknown, Terminal> => {
  switch (request._tag) {
    case "Help":
      return help(program, request.of)
    case "Version":
      return Effect.as(write(`${program.name} ${program.version}\n`), 0)
    case "Completions":
      return complete(program, request.shell)
    case "Manual":
      return manual(program)
    case "Run":
      return run(program, request)
  }
}

/** @effect/cli is loaded for this alone; `Completions` says why. */
const complete = ({ name, commands: [first, ...rest] }: Program, shell: Shell) =>
  Effect.gen(function* () {
    const { completions } = yield* Effect.promise(() => import("./Completions.ts"))
    const others = rest.map((one) => one.definition).filter((one) => one.hidden !== true)
    yield* write(yield* completions(name, first.definition, others, shell))
    return 0
  })

const manual = (program: Program) =>
  Effect.gen(function* () {
    const { manualPage } = yield* Effect.promise(() => import("./Manual.ts"))
    yield* write(
      manualPage(
        program,
        program.commands.map((one) => one.definition)
      )
    )
    return 0
  })

const help = (program: Program, of: Definition | undefined) =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    const look = style(terminal.stdoutIsTerminal && hasColours(terminal))
    const definitions = program.commands.map((one) => one.definition)
    yield* write(of === undefined ? programHelp(program, definitions, look) : commandHelp(program, of, look))
    return 0
  })

const run = (program: Program, { definition, input, globals }: Extract<Request, { readonly _tag: "Run" }>) =>
  Effect.gen(function* () {
    const terminal = yield* Terminal
    const bound = program.commands.find((one) => one.definition === definition)
    if (bound === undefined) return yield* Effect.dieMessage(`no program is bound to ${definition.name}`)
    const printing = session(definition.name, globals, terminal)
    const answer = yield* bound
      .execute(input, globals)
      .pipe(Effect.provideService(Session, printing), logging(program, definition, globals, terminal))
    // The answer stands, also when nobody reads it.
    yield* Effect.catchTag(write(textOf(answer, printing)), "OutputClosed", () => Effect.void)
    return answer.exitCode
  })

const levels: Readonly<Record<string, LogLevel.LogLevel>> = {
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  none: LogLevel.None
}

/** With all that a cause has. */
const detailed = Logger.make<unknown, string>((entry) =>
  Cause.isDie(entry.cause)
    ? `${logWords.log({ ...entry, cause: Cause.empty })}: ${Cause.pretty(entry.cause)}`
    : logWords.log(entry)
)

/** Log lines go to stderr: stdout is the result's. */
const logging =
  (program: Program, definition: Definition, globals: Globals, terminal: Terminal["Type"]) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    // The journal gets the lines of the log file, a person gets words.
    const isForJournal = definition.resident === true || terminal.stderrIsJournal
    const usual = isForJournal ? "info" : "warning"
    const level = levels[Option.getOrElse(globals.logLevel, () => usual)] ?? LogLevel.Info
    // As the lines of a failure. Where a fault of ours was is for who asks for details.
    const words = level === LogLevel.Debug ? detailed : logWords
    const format = isForJournal ? logLine : Logger.map(words, (line) => `${program.name}: ${visible(line)}`)
    const sink = Logger.make((entry) => {
      if (LogLevel.greaterThanEqual(entry.logLevel, level)) terminal.report(`${format.log(entry)}\n`)
    })
    return effect.pipe(
      // A log file takes what it takes by itself, whatever stderr shows.
      Logger.withMinimumLogLevel(LogLevel.lessThan(level, LogLevel.Info) ? level : LogLevel.Info),
      Effect.provide(Logger.replace(Logger.defaultLogger, sink))
    )
  }

const explain = (
  program: Program,
  request: Request,
  cause: Cause.Cause<unknown>,
  signal: Option.Option<Signal>
): Effect.Effect<number, never, Terminal> => {
  if (Option.exists(Cause.failureOption(cause), (error) => error instanceof OutputClosed))
    return Effect.succeed(0)
  if (!Cause.isInterruptedOnly(cause)) return fail(program, cause)
  if (isResident(request) && Option.isSome(signal)) return Effect.succeed(0)
  return Effect.succeed(Option.match(signal, { onNone: () => 130, onSome: (one) => SIGNAL_CODES[one] }))
}

const fail = (program: Program, cause: Cause.Cause<unknown>): Effect.Effect<number, never, Terminal> =>
  Effect.map(Terminal, ({ argv, report }) => {
    const failure: Failure = failureOf(program.name, cause)
    report(render(program.name, failure, wantsJson(argv)))
    if (wantsDebug(argv))
      report(`${Cause.pretty(cause, { renderErrorCause: true }).split("\n").map(visible).join("\n")}\n`)
    return failure.exitCode
  })
