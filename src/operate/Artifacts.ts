import { DateTime, Effect, Option } from "effect"
import {
  type ArtifactFailed,
  ArtifactStore,
  type Observed,
  type PathRefused
} from "../artifact/ArtifactStore.ts"
import { isAbsolute, normalise } from "../artifact/FilePath.ts"
import { secretsMasked } from "../artifact/KnownSecrets.ts"
import { quoted } from "../domain/Abridged.ts"
import { traced } from "../domain/Traced.ts"
import { secretIssues } from "../evidence/SecretScan.ts"
import { ArtifactFile, ArtifactFolder } from "./answers/Artifacts.ts"
import { operation } from "./Operation.ts"
import { Refusal } from "./Refusal.ts"

/** Names of one folder that are told. */
const MOST_ENTRIES = 10_000
/** Bytes of a file that are told. */
const MOST_BYTES = 1024 * 1024

const shown = (path: string): string => quoted(path, 300)

const refused = (path: string, why: string) =>
  new Refusal({
    code: "path_refused",
    message: `path: ${shown(path)} ${why}`,
    exitCode: 2
  })

// The system's word tells enough; the place on the disk is nobody's business.
const unusable = (path: string) => (error: PathRefused | ArtifactFailed) =>
  error._tag === "PathRefused"
    ? refused(path, error.why)
    : new Refusal({ code: "artifact_unreadable", message: `${shown(path)} cannot be read (${error.reason})` })

const notFound = (path: string, what: string) =>
  new Refusal({
    code: "artifact_not_found",
    message: `there is no ${what} ${shown(path)} below the artifact root`
  })

/** The path as it is told again. An agent may have put a secret value into the name of a file. */
const plain = (path: string) =>
  Effect.gen(function* () {
    const normal = normalise(path)
    if (isAbsolute(normal))
      return yield* refused(path, "is absolute; paths are relative to the artifact root")
    if (path.includes("\\")) return yield* refused(path, "holds a backslash")
    const secrets = yield* secretsMasked
    if (secrets.holds(normal))
      return yield* new Refusal({
        code: "secret_in_artifact",
        message: `${shown(secrets.text(path))} is not shown: its name holds a secret value; remove the file and replace the secret`
      })
    return normal === "." ? "" : normal
  })

const at = (millis: number): DateTime.Utc => DateTime.unsafeMake(Math.floor(millis))

const observed = (given: string) =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    const path = yield* plain(given)
    const found = yield* Effect.mapError(store.observe(path), unusable(path))
    return { store, path, found }
  })

/** What lies in a folder below the artifact root; of a file its own kind and no entries. */
export const list = operation({
  name: "artifacts.list",
  role: "read",
  output: ArtifactFolder,
  run: traced("Artifacts.list")(function* (input: { readonly path: string }) {
    const { found, path, store } = yield* observed(input.path)
    if (Option.isNone(found)) return yield* notFound(path, "file or folder")
    if (found.value.kind !== "folder") return { path, type: found.value.kind, entries: [] }
    const inside = yield* Effect.mapError(store.entries(path, MOST_ENTRIES), unusable(path))
    const { entries, isWhole } = Option.getOrElse(inside, () => ({ entries: [], isWhole: true }))
    const { text } = yield* secretsMasked
    return {
      path,
      type: "folder" as const,
      entries: entries.map(({ changedAtMs, kind, name, size }) => ({
        name: text(name),
        path: text(path === "" ? name : `${path}/${name}`),
        type: kind,
        size,
        updatedAt: Option.map(changedAtMs, at)
      })),
      ...(isWhole ? {} : { truncated: true as const })
    }
  })
})

const TYPES: Readonly<Record<string, string>> = {
  md: "text/markdown",
  json: "application/json",
  jsonl: "application/x-ndjson",
  html: "text/html",
  htm: "text/html",
  css: "text/css",
  csv: "text/csv",
  js: "text/javascript",
  ts: "text/typescript",
  svg: "image/svg+xml",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  diff: "text/x-diff"
}

/** What a file is by its name; a name that tells nothing is plain text, unless its content is none. */
const typeOf = (path: string, isText: boolean): string => {
  if (!isText) return "application/octet-stream"
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ""
  return TYPES[ending] ?? "text/plain"
}

/** A file that holds a secret value is shown to nobody: whoever reads the API need not know the agent's secrets. */
const withoutSecrets = (path: string) =>
  Effect.gen(function* () {
    const store = yield* ArtifactStore
    const secrets = yield* secretsMasked
    const issues = yield* secretIssues("this file", { path, scan: (met) => store.scan(path, met) }, secrets)
    if (issues.length === 0) return
    return yield* new Refusal({
      code:
        issues[0]?.startsWith("secret_in_artifact") === true ? "secret_in_artifact" : "artifact_unreadable",
      message: `${shown(path)} is not shown: ${issues[0]?.replace(/^\w+: this file /, "it ")}`
    })
  })

/** A file below the artifact root, of a longer one its first MiB. */
export const show = operation({
  name: "artifacts.show",
  role: "read",
  output: ArtifactFile,
  run: traced("Artifacts.show")(function* (input: { readonly path: string }) {
    const { found, path, store } = yield* observed(input.path)
    const file: Observed | undefined = Option.getOrUndefined(found)
    if (file?.kind !== "file") return yield* notFound(path, "file")
    yield* withoutSecrets(path)
    const text = yield* Effect.mapError(store.read(path, MOST_BYTES), unusable(path))
    if (Option.isNone(text)) return yield* notFound(path, "file")
    const isText = !text.value.includes("\0")
    return {
      path,
      size: file.size,
      updatedAt: at(file.changedAtMs),
      contentType: typeOf(path, isText),
      content: isText ? text.value : null,
      ...(file.size > MOST_BYTES ? { truncated: true as const } : {})
    }
  })
})
