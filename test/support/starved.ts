import { dlopen, FFIType, ptr } from "bun:ffi"
import { closeSync, openSync } from "node:fs"

const RLIMIT_NOFILE = 7
/** More than a test has open, so that few are to be opened until there is room for no more. */
const SOME = 512n

/** Runs something synchronous while this process can open no file more. */
export const starved = <A>(run: () => A): A => {
  const { close, symbols } = dlopen("libc.so.6", {
    prlimit: { args: [FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 }
  })
  const before = new BigUint64Array(2)
  symbols.prlimit(0, RLIMIT_NOFILE, null, ptr(before))
  symbols.prlimit(0, RLIMIT_NOFILE, ptr(new BigUint64Array([SOME, before[1] ?? SOME])), null)
  const taken: Array<number> = []
  try {
    for (;;) taken.push(openSync("/dev/null", "r"))
  } catch {
    // Now there is room for none.
  }
  try {
    return run()
  } finally {
    for (const fd of taken) closeSync(fd)
    symbols.prlimit(0, RLIMIT_NOFILE, ptr(before), null)
    close()
  }
}
