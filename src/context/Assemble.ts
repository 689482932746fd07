import { DateTime, Effect, Either, Option, Schema } from "effect"
import { type ArtifactFailed, ArtifactStore, type PathRefused } from "../artifact/ArtifactStore.ts"
import { type KnownSecrets, secretsMasked } from "../artifact/KnownSecrets.ts"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { RuntimeConfig, type Settings } from "../config/RuntimeConfig.ts"
import type { ReplayGrade } from "../domain/Attempt.ts"
import { BUNDLE_VERSION, type Bundle } from "../domain/Bundle.ts"
import { counted } from "../domain/Figure.ts"
import { roomRemedyOr } from "../domain/HostRoom.ts"
import type { BundleId } from "../domain/Ids.ts"
import { Profile } from "../domain/Profile.ts"
import { redactJson } from "../domain/Redactor.ts"
import type { KnownFile, Round, Task } from "../domain/Task.ts"
import { traced } from "../domain/Traced.ts"
import { adapterPart } from "./AdapterPart.ts"
import { answersText, type GivenAnswer } from "./Answers.ts"
import type { NoRoom } from "./Budget.ts"
import { bundleHash, bundleText, sha256 } from "./Canonical.ts"
import { handOver } from "./HandOver.ts"
import { artifacts, document, externalInputs, knownFiles, workspacePart } from "./Inputs.ts"
import { type LastFailure, lastFailureText } from "./LastFailure.ts"
import { memories } from "./Memory.ts"
import { phaseContext, workflowPart } from "./Phase.ts"
import { header, type Prompt, type PromptParts, render } from "./Prompt.ts"
import { replayGrade } from "./Replay.ts"
import { resolveSkill, type Skill, skillIds } from "./Skills.ts"
import { taskPart } from "./TaskPart.ts"
import { withoutSecrets } from "./WithoutSecrets.ts"
import type { Workspace } from "./Workspace.ts"

/** What an attempt is compiled from. `memory` are recent tasks of this kind, the latest first. */
export interface AssembleInput {
  readonly task: Task
  readonly round: Round
  readonly profile: Profile
  readonly adapter: AdapterSettings
  /** The model that runs, a task's `requested_model` considered; none where the program chooses. */
  readonly model: Option.Option<string>
  readonly memory: ReadonlyArray<Task>
  /** What earlier attempts asked and were answered, first to last. */
  readonly answers: ReadonlyArray<GivenAnswer>
  readonly lastFailure: Option.Option<LastFailure>
  readonly bundleId: BundleId
  /** When the bundle is made: names the day's folder and enters nothing else. */
  readonly at: DateTime.Utc
}

/** A bundle, and where its files are to be. */
export interface Compiled {
  readonly bundle: Bundle
  readonly bundleHash: string
  readonly replayGrade: ReplayGrade
  /** Of the bundle's JSON, below the artifact root. */
  readonly relativePath: string
  /** Of the rendered text, places not filled in: byte for byte the bundle's `prompt.rendered_text`. */
  readonly promptRelativePath: string
  /** The prompt as the adapter gets it: places filled in. */
  readonly promptText: string
  /** The declared artifacts as they were now, for the round's baseline. */
  readonly known: ReadonlyArray<KnownFile>
}

/** Why no bundle could be made; the attempt ends `blocked`. `detail` is a sentence with the remedy. */
export class AssembleFailed extends Schema.TaggedError<AssembleFailed>()("AssembleFailed", {
  reason: Schema.Literal("prompt_too_large", "artifact_root_unusable", "path_refused"),
  detail: Schema.String
}) {}

/**
 * Freezes an attempt's inputs into a bundle; reads only. Equal inputs give an equal hash on every attempt and
 * machine. `persist` writes it, before anything is run.
 */
export const assemble: (
  input: AssembleInput
) => Effect.Effect<Compiled, AssembleFailed, RuntimeConfig | Workspace | ArtifactStore | KnownSecrets> =
  traced("Assemble.assemble")(function* (input: AssembleInput) {
    const frozen = yield* freeze(input)
    return { ...frozen, ...(yield* placed(frozen.bundle, input.at)) }
  })

/** Where a bundle of this moment and its prompt are to be, and the prompt with its places filled in. */
export const placed = (bundle: Bundle, at: DateTime.Utc) =>
  Effect.gen(function* () {
    const settings = yield* RuntimeConfig
    const { root } = yield* ArtifactStore
    const path = `bundles/${DateTime.formatIso(at).slice(0, 10)}/${bundle.bundleId}`
    const skillDirs = settings.skillDirs.map((dir) => dir.path)
    return {
      relativePath: `${path}.json`,
      promptRelativePath: `${path}.prompt.txt`,
      promptText: handOver(bundle.prompt.renderedText, root, skillDirs)
    }
  })

/** Writes a bundle with its prompt, durably. */
export const persist = traced("Assemble.persist")(
  function* ({
    bundle,
    promptRelativePath,
    relativePath
  }: Pick<Compiled, "bundle" | "relativePath" | "promptRelativePath">) {
    const store = yield* ArtifactStore
    const prompt = yield* store.begin(promptRelativePath, bundle.prompt.renderedText)
    const whole = yield* store.begin(relativePath, `${bundleText(bundle)}\n`)
    yield* prompt
    yield* whole
  },
  Effect.catchTags({
    ArtifactFailed: unusable,
    PathRefused: ({ path, why }) => unusable({ path, reason: why })
  })
)

/** The bundle, its hash and its grade; reads only. A dry run shows its prompt. */
export const freeze = traced("Assemble.freeze")(
  function* (input: AssembleInput) {
    const bundle = yield* bundleOf(input, yield* gather(input))
    return {
      bundle,
      bundleHash: yield* bundleHash(bundle),
      replayGrade: replayGrade(input.adapter, bundle),
      known: knownFiles(bundle.artifacts)
    }
  },
  Effect.catchTags({ ArtifactFailed: unusable, PathRefused: refused })
)

/** Everything that is read from the world for a bundle. */
const gather = Effect.fnUntraced(function* ({ adapter, memory, profile, task }: AssembleInput) {
  const settings = yield* RuntimeConfig
  return {
    settings,
    secrets: yield* secretsMasked,
    identity: yield* document(settings.identity),
    purpose: yield* document(settings.purpose),
    skills: yield* Effect.forEach(skillIds(profile, task), (id) =>
      resolveSkill(id, settings.skillDirs, adapter)
    ),
    artifacts: yield* artifacts(task),
    externalInputs: yield* externalInputs(task, adapter),
    workspace: yield* workspacePart(adapter),
    memories: profile.contextPolicy.includeRecentTaskMemory ? yield* memories(task, memory) : []
  }
})

type Gathered = Effect.Effect.Success<ReturnType<typeof gather>>

const bundleOf = Effect.fnUntraced(function* (input: AssembleInput, inputs: Gathered) {
  const { adapter, profile } = input
  const { identity, purpose, secrets, settings, skills } = inputs
  const workflow = workflowPart(input.task, input.round)
  const parts = withoutSecrets(
    {
      runtimeName: settings.runtimeName,
      policy: settings.runtimePolicy,
      identity: identity.text,
      purpose: purpose.text,
      profile,
      mode: adapter.mode,
      task: input.task,
      skills,
      phase: phaseContext(input.task, workflow, inputs.artifacts),
      memories: inputs.memories,
      answers: answersText(input.answers),
      lastFailure: lastFailureText(profile.contextPolicy, adapter.mode, input.lastFailure, input.round.note)
    },
    secrets
  )
  const prompt = yield* rendered(parts)
  const runsBy = adapterPart(adapter, input.model)
  return {
    bundleVersion: BUNDLE_VERSION,
    bundleId: input.bundleId,
    task: taskPart(parts.task),
    workflow,
    agent: { runtimeName: settings.runtimeName, profileId: profile.profileId },
    constitution: {
      identitySha256: identity.sha256,
      purposeSha256: purpose.sha256,
      policySha256: yield* policySha256(settings)
    },
    profile: redactJson({ ...profilePart(profile) }, secrets),
    skills: skills.map(withoutText),
    adapter: { ...runsBy, args: runsBy.args.map(secrets.text) },
    workspace: inputs.workspace,
    artifacts: inputs.artifacts,
    externalInputs: inputs.externalInputs,
    memory: prompt.shown.map(({ taskId, sha256 }) => ({ taskId, sha256 })),
    prompt: { renderedText: prompt.text }
  } satisfies Bundle
})

const encodeProfile = Schema.encodeSync(Profile)

// The configuration is the same for all attempts of a process: what is made of it alone is made once.
const profiles = new WeakMap<Profile, typeof Profile.Encoded>()
const policies = new WeakMap<Settings, string>()

const profilePart = (profile: Profile): typeof Profile.Encoded => {
  const known = profiles.get(profile)
  if (known !== undefined) return known
  const made = encodeProfile(profile)
  profiles.set(profile, made)
  return made
}

const policySha256 = (settings: Settings): Effect.Effect<string> => {
  const known = policies.get(settings)
  if (known !== undefined) return Effect.succeed(known)
  return Effect.tap(sha256(settings.runtimePolicy), (hash) => Effect.sync(() => policies.set(settings, hash)))
}

const withoutText = ({ id, path, sha256, delivery }: Skill): Bundle["skills"][number] => ({
  id,
  path,
  sha256,
  delivery
})

const rendered = (parts: PromptParts): Effect.Effect<Prompt, AssembleFailed> =>
  Either.match(render(parts), { onLeft: (noRoom) => tooLarge(noRoom, parts), onRight: Effect.succeed })

const tooLarge = ({ needed, most }: NoRoom, parts: PromptParts): AssembleFailed =>
  new AssembleFailed({
    reason: "prompt_too_large",
    detail: `the prompt needs ${counted(needed)} characters with memory, payload and skills shortened as far as they go; max_prompt_chars of profile ${parts.profile.profileId} is ${counted(most)}. ${largest(parts)}: shorten it, or raise max_prompt_chars`
  })

const largest = (parts: PromptParts): string => {
  const length = (text: Option.Option<string>) =>
    Option.match(text, { onNone: () => 0, onSome: (t) => t.length })
  const [name, size] = (
    [
      ["runtimePolicy", parts.policy.length],
      ["identity", length(parts.identity)],
      ["purpose", length(parts.purpose)],
      [
        "the profile's role and system_prompt_parts",
        [parts.profile.role, ...parts.profile.systemPromptParts].join().length
      ],
      [
        "the task's header (its kind, subject, source and artifacts)",
        header(parts.task, parts.profile).length
      ]
    ] as const
  ).reduce((most, one) => (one[1] > most[1] ? one : most))
  return `The largest part of it that is never cut is ${name} with ${counted(size)}`
}

// Hoisted: the two are named above where they are handed over as values.

/** The artifact root cannot be read or written. */
export function unusable({ path, reason }: Pick<ArtifactFailed, "path" | "reason">) {
  return new AssembleFailed({
    reason: "artifact_root_unusable",
    detail: `${path} below the artifact root cannot be read or written (${reason}): ${roomRemedyOr(reason, "free space or mend the rights of artifactDir")}`
  })
}

function refused({ path, why }: PathRefused) {
  return new AssembleFailed({
    reason: "path_refused",
    detail: `${JSON.stringify(path)} ${why}: name a path below the artifact root in the task`
  })
}
