import { spawn } from "node:child_process"
import { Data, Effect, Option, Schedule } from "effect"
import { isNoRoom } from "../../src/domain/HostRoom.ts"
import { awaitingRoom } from "../artifact/Room.ts"
import { codeOf } from "../SystemWord.ts"

/** Enough of an answer for everything that is asked of git here. */
const MOST_BYTES = 256 * 1024
/** Characters of what git complains of that are kept. */
const MOST_TOLD = 4096

export interface GitOptions {
  readonly command: string
  readonly timeoutMs: number
  /** Where `command` is looked up. */
  readonly path: string
  /** Settings that outrank every file of the repository. */
  readonly settings?: ReadonlyArray<readonly [key: string, value: string]>
  /** Variables beside those that make git harmless: which repository, index and files it works on. */
  readonly variables?: Readonly<Record<string, string>>
  /** Bytes of an answer that are wanted at most; 256 KiB by default. */
  readonly mostBytes?: number
}

export interface GitAnswer {
  readonly text: string
  /** Whether there was more of it than was wanted. */
  readonly cut: boolean
}

/**
 * git is missing, failed or did not end in time. `reason` is a sentence's end, from what it told where it did; `code`
 * is the system's word where it could not be started.
 */
export class GitFailed extends Data.TaggedError("GitFailed")<{
  readonly reason: string
  readonly code?: string
}> {}

/** Whether git was not started as the host had no room for it just now. */
export const lacksRoom = ({ code }: GitFailed): boolean => code !== undefined && isNoRoom(code)

/** Whatever in a repository's own configuration could start a program, or reach over the network. */
const HARMLESS: ReadonlyArray<readonly [string, string]> = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.untrackedCache", "false"],
  ["core.pager", "cat"],
  ["core.editor", "false"],
  ["core.askPass", "false"],
  ["core.sshCommand", "false"],
  ["core.attributesFile", "/dev/null"],
  ["credential.helper", ""],
  ["diff.external", ""],
  ["status.submoduleSummary", "false"],
  ["maintenance.auto", "false"],
  ["gc.auto", "0"],
  ["protocol.allow", "never"],
  ["protocol.ext.allow", "never"],
  // Nothing of the repository is run, so that whose it is does not matter.
  ["safe.directory", "*"]
]

/**
 * The output of one git command in a folder; none when git is missing, fails or does not end in time. Nothing
 * of the repository's own configuration is run, except filters, which have names that only the repository
 * knows: see `withoutFilters`.
 */
export const git = (
  options: GitOptions,
  dir: string,
  args: ReadonlyArray<string>
): Effect.Effect<Option.Option<GitAnswer>> => Effect.option(runGit(options, dir, args))

/** The same for who wants to know why there is no answer. Where the host has no room it is waited for. */
export const runGit = (
  options: GitOptions,
  dir: string,
  args: ReadonlyArray<string>
): Effect.Effect<GitAnswer, GitFailed> => awaitingRoom(ranGit(options, dir, args), lacksRoom)

const ranGit = (
  options: GitOptions,
  dir: string,
  args: ReadonlyArray<string>
): Effect.Effect<GitAnswer, GitFailed> =>
  Effect.async<GitAnswer, GitFailed>((resume) => {
    const most = options.mostBytes ?? MOST_BYTES
    const child = spawn(options.command, ["-C", dir, ...args], {
      cwd: "/",
      env: environment(options),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true
    })
    const chunks: Array<Uint8Array> = []
    let size = 0
    let told = ""
    const answer = () => ({
      text: Buffer.concat(chunks).subarray(0, most).toString("utf8"),
      cut: size > most
    })
    child.stdout.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= most) return
      kill(child.pid)
      resume(Effect.succeed(answer()))
    })
    child.stderr.on("data", (chunk: Uint8Array) => {
      told = `${told}${Buffer.from(chunk).toString("utf8")}`.slice(0, MOST_TOLD)
    })
    child.on("error", (cause) =>
      resume(new GitFailed({ reason: notStarted(options, cause), code: codeOf(cause) }))
    )
    child.on("close", (code) =>
      resume(code === 0 ? Effect.succeed(answer()) : new GitFailed({ reason: fatal(told, code) }))
    )
    return Effect.zipRight(
      Effect.sync(() => kill(child.pid)),
      gone(child.pid)
    )
  }).pipe(
    Effect.timeoutFail({
      duration: options.timeoutMs,
      onTimeout: () => new GitFailed({ reason: `git did not end within ${options.timeoutMs} ms` })
    }),
    // A folder with a NUL in its name, too many open files: there is no repository to be seen.
    Effect.catchAllDefect(
      (defect) => new GitFailed({ reason: `git could not be run: ${String(defect)}`, code: codeOf(defect) })
    )
  )

const notStarted = ({ command }: GitOptions, cause: Error): string =>
  "code" in cause && cause.code === "ENOENT"
    ? `${command} is not installed, or not on PATH`
    : `${command} could not be run: ${cause.message}`

/** What git ended with, in its own words: the first line that is no hint. */
const fatal = (told: string, code: number | null): string => {
  const lines = told
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^(hint|warning|Preparing)\b/.test(line))
  const line = lines.find((one) => /^(fatal|error):/.test(one)) ?? lines[0]
  return line === undefined
    ? `git ended with ${code === null ? "a signal" : `exit code ${code}`}`
    : line.replace(/^(fatal|error):\s*/, "")
}

/**
 * The same options with every filter that the repository's configuration defines switched off: `git status`
 * would run them on changed files. None when that configuration cannot be listed as a whole.
 */
export const withoutFilters = (options: GitOptions, dir: string): Effect.Effect<Option.Option<GitOptions>> =>
  Effect.map(
    git(options, dir, ["config", "--list", "--name-only", "-z"]),
    Option.flatMap(({ text, cut }) => {
      const names = text.split("\0").filter((name) => name.startsWith("filter."))
      const filters = new Set(names.map(withoutVariable))
      const off = [...filters].flatMap(
        (name): Array<readonly [string, string]> => [
          [`${name}.clean`, ""],
          [`${name}.smudge`, ""],
          [`${name}.process`, ""],
          [`${name}.required`, "false"]
        ]
      )
      return cut
        ? Option.none()
        : Option.some({ ...options, settings: [...(options.settings ?? []), ...off] })
    })
  )

const withoutVariable = (name: string): string => name.slice(0, name.lastIndexOf("."))

const environment = (options: GitOptions): Record<string, string> => {
  const settings = [...HARMLESS, ...(options.settings ?? [])]
  return {
    PATH: options.path,
    HOME: "/dev/null",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_PAGER: "cat",
    ...options.variables,
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value]
      ])
    )
  }
}

/** Waits until a killed group has left the kernel, for a second at most: SIGKILL takes its time. */
const gone = (pid: number | undefined): Effect.Effect<unknown> =>
  Effect.repeat(
    Effect.sync(() => {
      try {
        return pid === undefined || !process.kill(-pid, 0)
      } catch {
        return true
      }
    }),
    { until: (isGone) => isGone, schedule: Schedule.upTo(Schedule.spaced("2 millis"), "1 second") }
  )

/** The whole group: git starts programs of its own. */
const kill = (pid: number | undefined): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // It has ended already.
  }
}
