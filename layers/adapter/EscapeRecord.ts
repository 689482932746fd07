import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Either, Schema } from "effect"
import type { AttemptId } from "../../src/domain/Ids.ts"
import { readPlainText } from "../config/PlainFile.ts"
import { attemptName } from "./AttemptName.ts"

const Recorded = Schema.parseJson(
  Schema.Struct({
    processes: Schema.Array(Schema.Struct({ pid: Schema.Int, start_time: Schema.String }))
  })
)

const folderOf = (stateDir: string): string => join(stateDir, "processes")

const fileOf = (stateDir: string, attemptId: AttemptId): string =>
  join(folderOf(stateDir), `${attemptName(attemptId)}.json`)

/**
 * Writes down which processes of a running attempt could not be found again by brand, so that they are
 * after this process is killed. Answers why it could not, else undefined: the attempt goes on all the same.
 */
export const keep = (
  stateDir: string,
  attemptId: AttemptId,
  processes: ReadonlyMap<number, string>
): string | undefined => {
  try {
    mkdirSync(folderOf(stateDir), { recursive: true, mode: 0o700 })
    const list = Array.from(processes, ([pid, start]) => ({ pid, start_time: start }))
    const temporary = join(folderOf(stateDir), `.${crypto.randomUUID()}.tmp`)
    writeFileSync(temporary, Schema.encodeSync(Recorded)({ processes: list }), { mode: 0o600, flag: "wx" })
    renameSync(temporary, fileOf(stateDir, attemptId))
    return undefined
  } catch (cause) {
    return String(cause)
  }
}

/** What was written down for an attempt: start time by pid. Empty when nothing was, or it cannot be read. */
export const recall = (stateDir: string, attemptId: AttemptId): Map<number, string> => {
  try {
    const read = Schema.decodeUnknownEither(Recorded)(readPlainText(fileOf(stateDir, attemptId)))
    return new Map(
      Either.isRight(read) ? read.right.processes.map(({ pid, start_time }) => [pid, start_time]) : []
    )
  } catch {
    // Mostly there is no file: nothing escaped.
    return new Map()
  }
}

/** Forgets an attempt; nothing happens when there is nothing to forget. */
export const forget = (stateDir: string, attemptId: AttemptId): void => {
  try {
    rmSync(fileOf(stateDir, attemptId), { force: true })
  } catch {
    // A record that stays is harmless: pid and start time in it name processes that are gone for ever.
  }
}
