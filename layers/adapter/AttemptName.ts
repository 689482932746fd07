import type { AttemptId } from "../../src/domain/Ids.ts"

/** What a file or folder of an attempt's own is called: its id, or a hash of one that is no plain name. */
export const attemptName = (attemptId: AttemptId): string =>
  /^[\w-]{1,100}$/.test(attemptId)
    ? attemptId
    : new Bun.CryptoHasher("sha256").update(attemptId).digest("hex")
