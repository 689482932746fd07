import {
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import { type DateTime, Effect, Option } from "effect"
import { readPlainText } from "../config/PlainFile.ts"
import { type GitFailed, type GitOptions, git, runGit } from "./Git.ts"
import type { WorktreePlace, WorktreeRecord } from "./WorktreeRecord.ts"

/** Where a folder lies in which repository. */
export interface Lying {
  readonly commonDir: string
  readonly objects: string
  /** From the top of the working tree to the folder, with a `/` at its end; empty at the top. */
  readonly prefix: string
}

const line = ({ text }: { readonly text: string }): string => text.replace(/\n$/, "")

/** Asks git where a folder lies; fails with what is wrong, as the end of a sentence about the folder. */
export const lyingOf = (options: GitOptions, dir: string): Effect.Effect<Lying, GitFailed | string> =>
  Effect.gen(function* () {
    const ask = (...args: ReadonlyArray<string>) =>
      Effect.map(runGit(options, dir, ["rev-parse", "--path-format=absolute", ...args]), line)
    const [isBare, isInside] = (yield* ask("--is-bare-repository", "--is-inside-work-tree")).split("\n")
    if (isBare === "true") return yield* Effect.fail("is a bare repository, which has no files to work on")
    if (isInside !== "true") return yield* Effect.fail("lies in the .git folder of a repository")
    const commonDir = yield* ask("--git-common-dir")
    return {
      // As git itself writes it down, whatever symlinks lead to it.
      commonDir: yield* Effect.try({ try: () => realpathSync(commonDir), catch: () => "has no .git folder" }),
      objects: yield* ask("--git-path", "objects"),
      prefix: yield* ask("--show-prefix")
    }
  })

/** The commit to begin from: the wanted one where the repository has it, else HEAD; none in one without a commit. */
export const baseOf = (options: GitOptions, dir: string, wanted: Option.Option<string>) => {
  const commit = (name: string) =>
    Effect.map(git(options, dir, ["rev-parse", "--verify", "--quiet", `${name}^{commit}`]), Option.map(line))
  const usable = Option.filter(wanted, (sha) => /^[0-9a-f]{40,64}$/.test(sha))
  return Option.isNone(usable)
    ? commit("HEAD")
    : Effect.flatMap(commit(usable.value), (found) =>
        Option.isSome(found) ? Effect.succeed(found) : commit("HEAD")
      )
}

/** Whether a commit has a folder. */
export const hasFolder = (options: GitOptions, dir: string, base: string, prefix: string) =>
  prefix === ""
    ? Effect.succeed(true)
    : Effect.map(
        git(options, dir, ["cat-file", "-t", `${base}:${prefix.slice(0, -1)}`]),
        Option.exists((type) => line(type) === "tree")
      )

/**
 * git on the files of a worktree by way of a repository of its own, which has nothing but the objects of the real
 * one: no configuration, no attributes and no hooks that anybody could have written there, at whatever moment.
 */
export const aside = (
  options: GitOptions,
  { path, side }: Pick<WorktreePlace, "path" | "side">
): GitOptions => ({
  ...options,
  settings: [...(options.settings ?? []), ["core.bigFileThreshold", "16m"]],
  variables: { ...options.variables, GIT_DIR: side, GIT_WORK_TREE: path, GIT_INDEX_FILE: indexOf({ side }) }
})

/** The index of the repository aside. */
export const indexOf = ({ side }: Pick<WorktreePlace, "side">): string => join(side, "index")

/**
 * Copies an index with its time: of a file that was changed in the second of the index git looks at the content, and a
 * younger copy would let it pass as unchanged where its size is the same.
 */
export const copyIndex = (from: string, to: string): void => {
  const { atimeMs, mtimeMs } = statSync(from)
  copyFileSync(from, to)
  // Whole seconds, rounded down: an earlier time only makes git look at more.
  utimesSync(to, Math.floor(atimeMs / 1_000), Math.floor(mtimeMs / 1_000))
}

/** Makes the repository aside. */
export const makeAside = (
  { side }: Pick<WorktreePlace, "side">,
  { base, objects }: Pick<WorktreeRecord, "base" | "objects">
): void => {
  mkdirSync(join(side, "objects", "info"), { recursive: true, mode: 0o700 })
  mkdirSync(join(side, "refs"), { recursive: true, mode: 0o700 })
  const isSha1 = base.length === 40
  const config = [
    "[core]",
    `\trepositoryformatversion = ${isSha1 ? 0 : 1}`,
    "\tbare = false",
    ...(isSha1 ? [] : ["[extensions]", "\tobjectFormat = sha256"])
  ]
  writeFileSync(join(side, "HEAD"), "ref: refs/heads/none\n", { mode: 0o600 })
  writeFileSync(join(side, "config"), `${config.join("\n")}\n`, { mode: 0o600 })
  writeFileSync(join(side, "objects", "info", "alternates"), `${objects}\n`, { mode: 0o600 })
  // gitattributes: this outranks the files' own, by which everything could be called binary, and be in no difference.
  mkdirSync(join(side, "info"), { recursive: true, mode: 0o700 })
  writeFileSync(join(side, "info", "attributes"), "* !diff\n", { mode: 0o600 })
}

/** Registers the worktree with its repository, without any file in it; answers its entry there. */
export const register = (
  options: GitOptions,
  dir: string,
  { path }: WorktreePlace,
  { base, commonDir, madeAt }: WorktreeRecord
): Effect.Effect<string, GitFailed | string> =>
  Effect.gen(function* () {
    yield* runGit(options, dir, ["worktree", "add", "--quiet", "--detach", "--no-checkout", path, base])
    const entry = yield* Effect.try({
      try: () => /^gitdir: (.+)\n?$/.exec(readPlainText(join(path, ".git")))?.[1],
      catch: () => "git made no worktree of it"
    })
    if (entry === undefined || dirname(entry) !== join(commonDir, "worktrees"))
      return yield* Effect.fail("git made a worktree of another repository")
    yield* Effect.try({ try: () => logged(entry, base, madeAt), catch: wordsOf })
    return entry
  })

/** git goes on with a log that is there, whatever the repository is configured to: by it no commit is lost to sight. */
const logged = (entry: string, base: string, madeAt: DateTime.Utc): void => {
  const log = join(entry, "logs", "HEAD")
  if (existsSync(log)) return
  mkdirSync(dirname(log), { recursive: true })
  const seconds = Math.floor(madeAt.epochMillis / 1000)
  writeFileSync(log, `${"0".repeat(base.length)} ${base} agent-runtime <> ${seconds} +0000\n`)
}

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Writes the files of the base, and an index that knows them: one to compare with, one for the agent's own git. */
export const checkOut = (options: GitOptions, place: WorktreePlace, base: string, entry: string) =>
  Effect.gen(function* () {
    yield* runGit(aside(options, place), place.path, ["read-tree", "-u", "--reset", base])
    yield* Effect.try({
      try: () => {
        copyIndex(indexOf(place), join(entry, "index.new"))
        renameSync(join(entry, "index.new"), join(entry, "index"))
      },
      catch: wordsOf
    })
  })
