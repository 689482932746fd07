import { Schema } from "effect"
import { AdapterMode, Driver, ReplayGrade } from "./Attempt.ts"
import { BundleId } from "./Ids.ts"
import { JsonObject } from "./Json.ts"
import { nullable, whenUsed, wireStruct } from "./Wire.ts"

export const BUNDLE_VERSION = 1

/** The version that the bundles of adopted attempts are recorded with: their files have the shape of the original. */
export const ADOPTED_BUNDLE_VERSION = 0

const hash = nullable(Schema.String)

/** The frozen, hashed input of an attempt (SPEC.md section 5). Nothing in it depends on place or time. */
export const Bundle = whenUsed(() =>
  wireStruct({
    bundleVersion: Schema.Literal(BUNDLE_VERSION),
    bundleId: BundleId,
    task: JsonObject,
    workflow: nullable(JsonObject),
    agent: wireStruct({ runtimeName: Schema.String, profileId: Schema.String }),
    constitution: wireStruct({ identitySha256: hash, purposeSha256: hash, policySha256: Schema.String }),
    profile: JsonObject,
    skills: Schema.Array(
      wireStruct({
        id: Schema.String,
        path: nullable(Schema.String),
        sha256: hash,
        delivery: Schema.Literal("text", "path", "missing")
      })
    ),
    adapter: wireStruct({
      id: Schema.String,
      mode: AdapterMode,
      driver: nullable(Driver),
      model: nullable(Schema.String),
      timeoutMs: Schema.Int,
      autonomy: nullable(Schema.String),
      args: Schema.Array(Schema.String)
    }),
    workspace: wireStruct({
      path: nullable(Schema.String),
      repository: Schema.Boolean,
      gitSha: nullable(Schema.String),
      dirty: nullable(Schema.Boolean)
    }),
    artifacts: Schema.Array(
      wireStruct({ role: Schema.String, path: Schema.String, exists: Schema.Boolean, sha256: hash })
    ),
    externalInputs: Schema.Array(wireStruct({ name: Schema.String, cached: Schema.Boolean, sha256: hash })),
    memory: Schema.Array(wireStruct({ taskId: Schema.String, sha256: Schema.String })),
    prompt: wireStruct({ renderedText: Schema.String })
  })
)
export type Bundle = typeof Bundle.Type

/** The row that names a bundle's files. Paths are relative to the artifact root. */
export const BundleRecord = whenUsed(() =>
  wireStruct({
    bundleId: BundleId,
    taskId: Schema.String,
    attemptId: Schema.String,
    bundleHash: Schema.String,
    bundleVersion: Schema.Int,
    profileId: Schema.String,
    adapterId: Schema.String,
    adapterMode: AdapterMode,
    model: nullable(Schema.String),
    replayGrade: ReplayGrade,
    relativePath: Schema.String,
    promptRelativePath: Schema.String
  })
)
export type BundleRecord = typeof BundleRecord.Type
