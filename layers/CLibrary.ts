import { dlopen, type FFIFunction } from "bun:ffi"

/** The C library cannot be called by this process: no fault of what it was to be called for. */
export class NotCallable extends Error {}

/** What mends it, for messages. */
export const CALLABLE_REMEDY =
  "let this process make executable memory (no MemoryDenyWriteExecute= in its unit), and give it more address space (ulimit -v, LimitAS=)"

// Bun compiles each call, and without memory to run code in it has switched its compiler off.
const whyNot = (cause: unknown): string => {
  const told = cause instanceof Error ? cause.message : String(cause)
  return told.includes("JIT") ? "executable memory is denied to this process" : told
}

/** Opens the C library for these functions; throws `NotCallable`. */
export const cLibrary = <const Functions extends Record<string, FFIFunction>>(functions: Functions) => {
  try {
    return dlopen("libc.so.6", functions)
  } catch (cause) {
    throw new NotCallable(`the C library cannot be called (${whyNot(cause)})`)
  }
}
