import type { AttemptId } from "../../src/domain/Ids.ts"

/** The variable that marks every process of an attempt which did not clear its environment. */
export const MARKER = "AGENT_RUNTIME_ATTEMPT_ID"

export const markerOf = (attemptId: AttemptId): string => `${MARKER}=${attemptId}`

/**
 * The number that brands the processes of an attempt: 60 bits of the id's SHA-256. A child carries it as
 * its soft limit of file locks (RLIMIT_LOCKS, which Linux has not acted upon since 2.4.25). Unlike the
 * environment, the session and the parent it survives `env -i`, `setsid` and double forks, and it can be
 * read from outside: so a daemon is known for what it is even when it slipped away between two scans.
 */
export const brandOf = (attemptId: AttemptId): bigint =>
  BigInt(`0x${new Bun.CryptoHasher("sha256").update(attemptId).digest("hex").slice(0, 15)}`)
