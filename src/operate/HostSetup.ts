import { Effect, Option, Schema } from "effect"
import { type HostFile, type HostFileFailed, HostFiles } from "../artifact/HostFiles.ts"
import { quoted } from "../domain/Abridged.ts"
import { traced } from "../domain/Traced.ts"
import { wireStruct } from "../domain/Wire.ts"
import { Refusal } from "./Refusal.ts"

/** What becomes of a file: made, as it was already, put in the place of another text, or left with its own text. */
export const Change = Schema.Literal("created", "unchanged", "replaced", "kept")

export const ChangedFile = wireStruct({ path: Schema.String, change: Change })

/** A file as it should be, and what that means for the one that is there. */
export interface Planned {
  readonly file: HostFile
  readonly change: typeof Change.Type
}

/** Folders of `deploy/` that are no agents. */
const TAKEN = ["scripts", "systemd", "templates"]

/**
 * The name of an agent as it stands in file names, unit names and JSON. It is letters, digits and single hyphens, so
 * that it means itself in each of them.
 */
export const agentName = (given: string): Effect.Effect<string, Refusal> =>
  /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(given) && given.length <= 32 && !TAKEN.includes(given)
    ? Effect.succeed(given)
    : Effect.fail(
        new Refusal({
          code: "agent_name_invalid",
          message: `${quoted(given)} is no name for an agent`,
          hint: `a name is at most 32 lower-case letters, digits and single hyphens, begins with a letter, and is none of ${TAKEN.join(", ")}`,
          exitCode: 2
        })
      )

/** Compares a file with the one that is there; a text of its own makes it `replaced`. */
export const plan = traced("HostSetup.plan")(function* (file: HostFile) {
  const files = yield* HostFiles
  const found = yield* Effect.mapError(files.read(file.path), unreadable)
  const change = Option.match(found, {
    onNone: () => "created" as const,
    onSome: (text) => (text === file.text ? ("unchanged" as const) : ("replaced" as const))
  })
  return { file, change }
})

/** Writes what a plan says is to be written. */
export const carryOut = traced("HostSetup.carryOut")(function* (planned: ReadonlyArray<Planned>) {
  const files = yield* HostFiles
  const wanted = planned.filter(({ change }) => change === "created" || change === "replaced")
  yield* Effect.mapError(files.write(wanted.map(({ file }) => file)), unwritable)
})

/** The plan as it is answered. */
export const told = (planned: ReadonlyArray<Planned>) =>
  planned.map(({ change, file }) => ({ path: file.path, change }))

const unreadable = ({ path, reason }: HostFileFailed) =>
  new Refusal({
    code: "file_unreadable",
    message: `${path} cannot be read (${reason}), so nothing was written`,
    hint: "See what is there, and move it away or give this user the right to read it."
  })

const unwritable = ({ path, reason }: HostFileFailed) =>
  new Refusal({
    code: "file_unwritable",
    message: `${path} cannot be written (${reason}); what was new is removed again`,
    hint: "Give this user the right to write there, free some space, or choose another place."
  })

/** A word of a shell command; quoted where the shell would take it apart. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

const MOST_NAMED = 4

/** Paths in a sentence; of many the first ones and how many more. */
export const listed = (paths: ReadonlyArray<string>): string =>
  paths.length <= MOST_NAMED
    ? paths.join(", ")
    : `${paths.slice(0, MOST_NAMED - 1).join(", ")} and ${paths.length - MOST_NAMED + 1} more`
