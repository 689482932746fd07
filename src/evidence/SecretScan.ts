import { Effect, Option } from "effect"
import type { Claim } from "./Claim.ts"

/** So much of a file is looked through. */
const MOST_BYTES = 8 * 1024 * 1024

/** Whether a file that an agent wrote holds one of the adapter's secret values, in its first 8 MiB. */
export const holdsSecret = <R>(
  read: (most: number) => Effect.Effect<Option.Option<string>, never, R>,
  claim: Pick<Claim, "holdsSecret">
): Effect.Effect<boolean, never, R> =>
  Effect.map(read(MOST_BYTES), (text) => Option.exists(text, claim.holdsSecret))

/** The sentence; it never shows the value. */
export const secretFound = (what: string): string =>
  `secret_in_artifact: ${what} holds a secret value; remove the file and replace the secret.`
