/** The system's word for what went wrong (`ENOENT`, `EACCES`, ...), or its text where it has none. */
export const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : String(cause)
