import { type DateTime, Effect, Either, Option, Schema } from "effect"
import type { ArtifactFailed, ArtifactStore, PathRefused } from "../artifact/ArtifactStore.ts"
import { declared } from "../artifact/Declared.ts"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { Bundle } from "../domain/Bundle.ts"
import type { BundleId } from "../domain/Ids.ts"
import { JsonObject } from "../domain/Json.ts"
import { Profile } from "../domain/Profile.ts"
import type { Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { nullable, onFirstUse, wireStruct } from "../domain/Wire.ts"
import { adapterPart } from "./AdapterPart.ts"
import { type AssembleFailed, type Compiled, placed, unusable } from "./Assemble.ts"
import { changesBetween, changesOf } from "./BundleDiff.ts"
import { bundleHash } from "./Canonical.ts"
import { artifacts, externalInputs, knownFiles, workspacePart } from "./Inputs.ts"
import { replayGrade } from "./Replay.ts"
import { resolveSkill } from "./Skills.ts"
import type { Workspace } from "./Workspace.ts"

/** A recorded bundle that is run again, and by what. */
export interface ReplayInput {
  readonly recorded: Bundle
  /** The replay's own task. */
  readonly task: Task
  readonly adapter: AdapterSettings
  readonly model: Option.Option<string>
  readonly bundleId: BundleId
  /** When the bundle is made: names the day's folder and enters nothing else. */
  readonly at: DateTime.Utc
}

/** What of a recorded bundle is another one when it is run again; each a path in the bundle's wire form. */
export interface Deviation {
  /** Keys of the adapter part, the only one that is that of the replay: the hash is another one. */
  readonly changed: ReadonlyArray<string>
  /** What the frozen input only names, and what is no longer as it was recorded. */
  readonly drifted: ReadonlyArray<string>
}

/**
 * A recorded bundle again, with an id of its own: the same prompt, byte for byte, and the same hash
 * unless the adapter is another one or configured otherwise. Artifacts, workspace, inputs and skills that the
 * prompt names are used as they are now: what drifted is told, and makes the replay `best_effort`.
 */
export const replayBundle: (
  input: ReplayInput
) => Effect.Effect<
  Compiled & { readonly deviation: Deviation },
  AssembleFailed,
  RuntimeConfig | Workspace | ArtifactStore
> = traced("ReplayBundle.replayBundle")(function* (input: ReplayInput) {
  const { adapter, at, bundleId, model, recorded, task } = input
  const bundle: Bundle = { ...recorded, bundleId, adapter: adapterPart(adapter, model) }
  const present = yield* presentInputs(recorded, task, adapter)
  const deviation = {
    changed: changesBetween(recorded, bundle).map(({ path }) => path),
    drifted: changesOf(onlyNamed(recorded, task), onlyNamed({ ...recorded, ...present }, task)).map(
      ({ path }) => path
    )
  }
  const grade = replayGrade(adapter, bundle)
  return {
    bundle,
    bundleHash: yield* bundleHash(bundle),
    replayGrade: grade === "inputs_frozen" && deviation.drifted.length > 0 ? "best_effort" : grade,
    known: knownFiles(present.artifacts),
    deviation,
    ...(yield* placed(bundle, at))
  }
})

const presentInputs = Effect.fnUntraced(
  function* (recorded: Bundle, task: Task, adapter: AdapterSettings) {
    const { skillDirs } = yield* RuntimeConfig
    return {
      artifacts: yield* artifacts(task),
      externalInputs: yield* externalInputs(task, adapter),
      workspace: yield* workspacePart(adapter),
      skills: yield* Effect.forEach(recorded.skills, (skill) =>
        skill.delivery === "path"
          ? Effect.map(resolveSkill(skill.id, skillDirs, adapter), ({ sha256 }) => ({ ...skill, sha256 }))
          : Effect.succeed(skill)
      )
    }
  },
  Effect.catchTags({
    ArtifactFailed: (failure: ArtifactFailed) => Effect.fail(unusable(failure)),
    PathRefused: ({ path, why }: PathRefused) => Effect.fail(unusable({ path, reason: why }))
  })
)

const encode = onFirstUse(() => Schema.encodeSync(Bundle))

/** The parts of a bundle that lie outside of it, in the wire form. Products are the attempt's own doing. */
const onlyNamed = (bundle: Bundle, task: Task): JsonObject => {
  const products = new Set(declared(task).products.map(({ path }) => path))
  const { artifacts, external_inputs, skills, workspace } = encode()(bundle)
  return {
    artifacts: artifacts.filter(({ path }) => !products.has(path)),
    external_inputs,
    skills,
    workspace
  }
}

/** The recorded work, as the task of a replay carries it. */
export interface RecordedWork {
  readonly kind: string
  readonly subject: Option.Option<string>
  readonly description: Option.Option<string>
  readonly payload: JsonObject
  readonly untrusted: boolean
}

const decodeWork = onFirstUse(() =>
  Schema.decodeUnknownOption(
    wireStruct({
      kind: Schema.String,
      subject: nullable(Schema.String),
      description: nullable(Schema.String),
      payload: JsonObject,
      untrusted: Schema.Boolean
    })
  )
)

/** The work that a bundle records; none where its task part is none of this version's. */
export const recordedWork = ({ task }: Pick<Bundle, "task">): Option.Option<RecordedWork> =>
  decodeWork()(task)

const decodeProfile = onFirstUse(() => Schema.decodeUnknownEither(Profile))

/**
 * The recorded profile, and what has been forbidden to it since: a replay must not be the way around a
 * profile that was tightened. None where the recorded one is none of this version's.
 */
export const recordedProfile = (
  { profile }: Pick<Bundle, "profile">,
  present: Option.Option<Profile>
): Option.Option<Profile> =>
  Option.map(Either.getRight(decodeProfile()(profile)), (recorded) => ({
    ...recorded,
    toolPolicy: { ...recorded.toolPolicy, ...only(present, "toolPolicy", false) },
    integrationPolicies: { ...recorded.integrationPolicies, ...only(present, "integrationPolicies", "none") }
  }))

const only = <K extends "toolPolicy" | "integrationPolicies", V extends Profile[K][string]>(
  profile: Option.Option<Profile>,
  key: K,
  value: V
): Record<string, V> =>
  Option.match(profile, {
    onNone: () => ({}),
    onSome: (one) =>
      Object.fromEntries(
        Object.entries(one[key]).flatMap(([name, is]) => (is === value ? [[name, value] as const] : []))
      )
  })
