import { createHash } from "node:crypto"
import * as fs from "node:fs"

/** What SQLite keeps of a database that is not in its file yet. The -shm is only an index of the -wal. */
const JOURNALS = ["-wal", "-journal"] as const

export interface Copied {
  readonly path: string
  readonly sha256: string
  /** Of the file and its journals together. */
  readonly digest: string
  /** Whether the copy is one moment of the file. */
  readonly isSteady: boolean
}

const sha256 = async (file: string): Promise<string> => {
  const hash = createHash("sha256")
  for await (const piece of fs.createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(piece)
  return hash.digest("hex")
}

const parts = (file: string): ReadonlyArray<string> =>
  ["", ...JOURNALS].filter((suffix) => (fs.statSync(file + suffix, { throwIfNoEntry: false })?.size ?? 0) > 0)

/** A hash of a database with its journals: two that are equal are the same bytes under the same names. */
export const digestOf = async (file: string): Promise<string> => {
  const hash = createHash("sha256")
  for (const suffix of parts(file)) hash.update(`${suffix}:${await sha256(file + suffix)};`)
  return hash.digest("hex")
}

/**
 * Copies a database with its journals by the file system alone: SQLite, which would make files beside it, never
 * opens it.
 */
export const copyOf = async (file: string, to: string): Promise<Copied> => {
  const before = await digestOf(file)
  for (const suffix of parts(file)) {
    await fs.promises.copyFile(file + suffix, to + suffix, fs.constants.COPYFILE_FICLONE)
    await fs.promises.chmod(to + suffix, 0o600)
  }
  const copied = await digestOf(to)
  return {
    path: to,
    sha256: await sha256(file),
    digest: before,
    isSteady: before === copied && (await digestOf(file)) === before
  }
}
