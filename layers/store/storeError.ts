import { accessSync, closeSync, constants, openSync } from "node:fs"
import { dirname } from "node:path"
import { SqlError } from "@effect/sql/SqlError"
import { Duration } from "effect"
import { ROOM_REMEDY } from "../../src/domain/HostRoom.ts"
import { StoreUnavailable, writableRemedy } from "../../src/store/StoreError.ts"
import { fullness } from "../Fullness.ts"
import { codeOf } from "../SystemWord.ts"
import { orBackup } from "./StoreMarks.ts"

const remedyOfCorruption = (path: string): string =>
  orBackup(
    path,
    "put a backup in its place with agent-runtime restore --from FILE (by hand the journal of the one before damages it)",
    ", or move the file away to start with an empty queue"
  )

/** Values that a table does not take. */
const REFUSALS: ReadonlyArray<string> = [
  "SQLITE_CONSTRAINT",
  "SQLITE_MISMATCH",
  "SQLITE_RANGE",
  "SQLITE_TOOBIG"
]

/** The words of SQLite's error, which the driver wraps up. */
const messageOf = (cause: unknown): string => {
  const inner = cause instanceof SqlError ? cause.cause : cause
  return inner instanceof Error ? inner.message : String(inner)
}

const READ_ONLY = "its file system is mounted read-only (EROFS)"
const WRITABLE =
  "find out why (a disk that had errors is remounted so; dmesg tells), then mount -o remount,rw and try again; nothing was changed"

/** SQLite says of a file system that is mounted read-only only that a file cannot be opened or written. */
const isOnReadOnly = (path: string): boolean => {
  try {
    accessSync(dirname(path), constants.W_OK)
    return false
  } catch (cause) {
    return codeOf(cause) === "EROFS"
  }
}

/** A database, its journal, the index of that, the folder, and one beside them. */
const FILES_OF_A_STORE = 5

/** SQLite says of a process that can open no more files only that a database cannot be opened. */
const lackOfFiles = (): string | undefined => {
  const held: Array<number> = []
  try {
    while (held.length < FILES_OF_A_STORE) held.push(openSync("/", constants.O_RDONLY))
    return undefined
  } catch (cause) {
    return codeOf(cause)
  } finally {
    for (const fd of held) closeSync(fd)
  }
}

/** Why a database cannot be opened where this process or the host can open no more files; undefined where both can. */
export const noRoomToOpen = (path: string): StoreUnavailable | undefined => {
  const code = lackOfFiles()
  return code === undefined
    ? undefined
    : new StoreUnavailable({
        path,
        reason: `it cannot be opened: the host has no room for it now (${code})`,
        remedy: ROOM_REMEDY
      })
}

/**
 * What an error of SQLite means to an operator, by its code (https://sqlite.org/rescode.html). `waited` is
 * how long a lock was waited for.
 */
export const unavailable = (
  path: string,
  code: string,
  cause: unknown,
  waited: Duration.DurationInput = "10 seconds"
): StoreUnavailable => {
  const family = code.split("_").slice(0, 2).join("_")
  const told = (reason: string, remedy: string) => new StoreUnavailable({ path, reason, remedy })
  // Where the index beside the journal (-shm) could not grow, too, which is what a full disk looks like to a reader.
  if (/^SQLITE_(FULL|IOERR_SHMSIZE)$/.test(code)) {
    const { remedy, what } = fullness(code, path)
    return told(what, `${remedy} and try again; nothing was changed`)
  }
  switch (family) {
    case "SQLITE_BUSY":
    case "SQLITE_LOCKED":
    case "SQLITE_PROTOCOL":
      return told(
        `another process kept it locked for ${Duration.toSeconds(waited)} seconds`,
        "find the process that holds it and try again; nothing was changed"
      )
    case "SQLITE_IOERR":
      return told(
        `the disk answered with an error (${code})`,
        "check the disk's space and health, then try again"
      )
    case "SQLITE_CORRUPT":
    case "SQLITE_NOTADB":
      return told(`the file is damaged (${code})`, remedyOfCorruption(path))
    case "SQLITE_READONLY":
    case "SQLITE_PERM":
    case "SQLITE_AUTH":
      return isOnReadOnly(path)
        ? told(READ_ONLY, WRITABLE)
        : told("it cannot be written", writableRemedy(path))
    case "SQLITE_CANTOPEN":
      if (isOnReadOnly(path)) return told(READ_ONLY, WRITABLE)
      return (
        noRoomToOpen(path) ??
        told("it cannot be opened", "check the owner and the rights of the file and of its folder")
      )
    default:
      // Our statements name nothing that our migrations do not make: it was there when the store was opened.
      if (family === "SQLITE_ERROR" && /^no such (table|column): /.test(messageOf(cause)))
        return told(`it is damaged: ${messageOf(cause)}`, remedyOfCorruption(path))
      return new StoreUnavailable({
        path,
        reason: messageOf(cause),
        remedy: "this is a fault of agent-runtime; run again with --log-level debug and report it",
        isFault: REFUSALS.includes(family)
      })
  }
}
