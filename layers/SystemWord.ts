/** The system's word for what went wrong (`ENOENT`, `EACCES`, ...), or its text where it has none. */
export const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : String(cause)

/**
 * Whether a word of the system or of SQLite means that a file could not grow: the disk is full, or this user's part of it,
 * or the limit on the size of files is reached.
 */
export const isFull = (code: string): boolean =>
  /^(SQLITE_FULL|ENOSPC|EDQUOT|EFBIG|SQLITE_IOERR_(WRITE|SHMSIZE))$/.test(code)
