import { Effect, Option } from "effect"
import type { ArtifactFailed, PathRefused } from "../artifact/ArtifactStore.ts"
import type { Redactor } from "../domain/Redactor.ts"

/**
 * Gives a file's bytes to `met` until that answers true or the file ends, and answers whether it did; none or a
 * failure when it cannot be read to its end.
 */
export type Scan = (
  met: (bytes: Uint8Array) => boolean
) => Effect.Effect<Option.Option<boolean>, PathRefused | ArtifactFailed>

/**
 * Looks through the whole of a file that an agent wrote for the adapter's secret values, in all their forms, as
 * bytes and piece by piece, and through its own path. At most one sentence, which never shows the value as long as
 * `what` does not; without values nothing is read.
 */
export const secretIssues = (
  what: string,
  { path, scan }: { readonly path: string; readonly scan: Scan },
  secrets: Pick<Redactor, "isIdle" | "finder" | "holds">
): Effect.Effect<ReadonlyArray<string>> => {
  if (secrets.isIdle) return Effect.succeed([])
  if (secrets.holds(path)) return Effect.succeed([secretFound(what, "a secret value in its name")])
  return Effect.suspend(() => scan(secrets.finder().write)).pipe(
    Effect.map(
      Option.match({
        onNone: () => [unreadable(what, "no regular file, or no right to read it")],
        onSome: (found) => (found ? [secretFound(what, "a secret value")] : [])
      })
    ),
    Effect.catchTags({
      PathRefused: ({ why }) => Effect.succeed([unreadable(what, `it ${why}`)]),
      ArtifactFailed: ({ reason }) => Effect.succeed([unreadable(what, reason)])
    })
  )
}

const secretFound = (what: string, found: string): string =>
  `secret_in_artifact: ${what} holds ${found}; remove the file and replace the secret.`

const unreadable = (what: string, why: string): string =>
  `artifact_unreadable: ${what} cannot be read to its end to look for secret values (${why}).`
