import { Effect, Option, Schema } from "effect"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import { ADOPTED_BUNDLE_VERSION, BUNDLE_VERSION, Bundle, type BundleRecord } from "../domain/Bundle.ts"
import { counted } from "../domain/Figure.ts"
import { traced } from "../domain/Traced.ts"
import { onFirstUse } from "../domain/Wire.ts"
import { sha256 } from "./Canonical.ts"

/** A payload is at most 64 MiB and stands in a bundle twice at most, escaped; a larger file is none of ours. */
const MOST_BYTES = 256 * 1024 * 1024

/**
 * A bundle's file is not what was recorded: `missing`, `changed` (its bytes do not have the recorded hash),
 * `unreadable` (the disk refuses it), `unsupported` (made by another version) or `not_adopted` (its attempt came from
 * a database of the original runtime, its file did not). `detail` is a sentence's end that begins with the file's name.
 */
export class BundleUnusable extends Schema.TaggedError<BundleUnusable>()("BundleUnusable", {
  reason: Schema.Literal("missing", "changed", "unreadable", "unsupported", "not_adopted"),
  path: Schema.String,
  detail: Schema.String
}) {}

/**
 * Reads a recorded bundle and answers it only when its bytes are those that were recorded: every one but its
 * id's goes into the hash of the row.
 */
export const recordedBundle = traced("RecordedBundle.read")(function* (record: BundleRecord) {
  const path = record.relativePath
  const unusable = (reason: BundleUnusable["reason"], what: string) =>
    new BundleUnusable({ reason, path, detail: `${path} below the artifact root ${what}` })
  const foreign = unusable(
    "unsupported",
    `was made by another version of agent-runtime (bundle_version ${record.bundleVersion}; this one reads ${BUNDLE_VERSION})`
  )
  if (record.bundleVersion === ADOPTED_BUNDLE_VERSION)
    return yield* (yield* isThere(path))
      ? unusable("unsupported", "was made by the original runtime, whose bundles this one does not read")
      : unusable(
          "not_adopted",
          "is not there: its attempt was adopted from the original runtime, its file was not"
        )
  // Another version may hash in another way.
  if (record.bundleVersion !== BUNDLE_VERSION) return yield* foreign
  const text = yield* textOf(path)
  if (Option.isNone(text)) return yield* unusable("missing", "is not there")
  const rest = withoutId(text.value, record.bundleId)
  if (Option.isNone(rest) || (yield* sha256(rest.value)) !== record.bundleHash)
    return yield* unusable(
      "changed",
      "was changed: its hash is not the one that was recorded with its attempt"
    )
  const bundle = decode()(text.value)
  if (Option.isNone(bundle)) return yield* foreign
  return bundle.value
})

/** Whether the text beside a bundle, for people to read, still is the bundle's prompt. */
export const isPromptIntact = traced("RecordedBundle.prompt")(function* (
  record: BundleRecord,
  bundle: Bundle
) {
  const store = yield* ArtifactStore
  const expected = yield* sha256(bundle.prompt.renderedText)
  const found = yield* Effect.option(store.hash(record.promptRelativePath))
  return Option.contains(Option.flatten(found), expected)
})

const decode = onFirstUse(() => Schema.decodeUnknownOption(Schema.parseJson(Bundle)))

/** Whether there is a file at a recorded path; one that leads elsewhere names none of ours. */
const isThere = (path: string) =>
  Effect.map(Effect.option(Effect.flatMap(ArtifactStore, (store) => store.observe(path))), (seen) =>
    Option.exists(Option.flatten(seen), ({ kind }) => kind === "file")
  )

const textOf = (path: string) =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    const seen = yield* store.observe(path)
    if (!Option.exists(seen, ({ kind }) => kind === "file")) return Option.none()
    const size = Option.match(seen, { onNone: () => 0, onSome: (file) => file.size })
    if (size > MOST_BYTES)
      return yield* new BundleUnusable({
        reason: "changed",
        path,
        detail: `${path} below the artifact root was changed: it has ${counted(size)} bytes, more than any bundle`
      })
    return yield* store.read(path, MOST_BYTES)
  }).pipe(
    Effect.catchTags({
      ArtifactFailed: ({ reason }) =>
        new BundleUnusable({
          reason: "unreadable",
          path,
          detail: `${path} below the artifact root cannot be read (${reason})`
        }),
      PathRefused: ({ why }) =>
        new BundleUnusable({ reason: "unreadable", path, detail: `${JSON.stringify(path)} ${why}` })
    })
  )

/**
 * The text that was hashed: the file without its id and its last newline. Nothing is parsed before the hash
 * has proved it. Keys are sorted, and what stands before `bundle_id` has no key of that name: the first is it.
 */
const withoutId = (text: string, id: string): Option.Option<string> => {
  const key = `"bundle_id":${JSON.stringify(id)},`
  const at = text.indexOf(key)
  return at < 0 || !text.endsWith("\n")
    ? Option.none()
    : Option.some(text.slice(0, at) + text.slice(at + key.length, -1))
}
