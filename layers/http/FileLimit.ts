import { Effect } from "effect"
import { cLibrary } from "../CLibrary.ts"

const RLIMIT_NOFILE = 7

/**
 * Raises the soft limit of open files to the hard one (getrlimit(2)) and answers what it is; 0 where the system does
 * not tell. Each connection of a server is an open file.
 */
export const raiseFileLimit: Effect.Effect<number> = Effect.sync(() => {
  try {
    const libc = cLibrary({
      getrlimit: { args: ["i32", "ptr"], returns: "i32" },
      setrlimit: { args: ["i32", "ptr"], returns: "i32" }
    })
    const limits = new BigUint64Array(2)
    if (libc.symbols.getrlimit(RLIMIT_NOFILE, limits) !== 0) return 0
    const [soft, hard] = limits
    if (soft === undefined || hard === undefined) return 0
    if (soft >= hard) return Number(soft)
    limits[0] = hard
    return Number(libc.symbols.setrlimit(RLIMIT_NOFILE, limits) === 0 ? hard : soft)
  } catch {
    return 0
  }
})
