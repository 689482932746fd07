import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { fields, heading, status, table, text, toned } from "./Doc.ts"

const NAMED = "A bundle's id, its attempt's, or its task's (then that of the last attempt)."

/** A differing value in words; what is long is there as its beginning, its length and its hash. */
const inWords = (value: unknown): string => {
  if (typeof value === "string") return value
  if (
    typeof value === "object" &&
    value !== null &&
    "sha256" in value &&
    "characters" in value &&
    "text" in value
  )
    return `${String(value.text)} (${String(value.characters)} characters, sha256 ${String(value.sha256).slice(0, 12)})`
  return JSON.stringify(value)
}

const words = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

export const bundleShow = command({
  name: "bundle-show",
  group: "Look",
  summary: "the frozen input of an attempt, with its prompt",
  description:
    "Shows a bundle only when its file still has the recorded hash; one that was changed or is missing is an error. `prompt_intact` says whether the text file beside it still is its prompt.",
  example: "agent-runtime bundle-show 0196a1b2-0000-7000-8000-000000000001",
  arguments: [{ name: "id", required: true, live: "attempts", description: NAMED }],
  options: [],
  run: (input) => ask(async () => (await import("../operate/Bundles.ts")).show, input),
  view: (bundle) => [
    heading(`Bundle ${bundle.bundle_id}`),
    fields([
      ["hash", bundle.bundle_hash],
      ["replay grade", bundle.replay_grade],
      ["task", bundle.task_id],
      ["attempt", bundle.attempt_id],
      ["file", bundle.bundle_path],
      [
        "prompt file",
        bundle.prompt_intact
          ? bundle.prompt_path
          : toned(
              `${bundle.prompt_path} is missing or was changed; the prompt below is the genuine one`,
              "bad"
            )
      ]
    ]),
    heading("Task"),
    fields(Object.entries(bundle.task).map(([key, value]) => [key, value === null ? null : words(value)])),
    ...(bundle.workflow === null
      ? []
      : [
          heading("Workflow"),
          fields(
            Object.entries(bundle.workflow).map(([key, value]) => [key, value === null ? null : words(value)])
          )
        ]),
    heading("Agent"),
    fields([
      ["runtime", bundle.agent.runtime_name],
      ["profile", bundle.agent.profile_id],
      ["identity sha256", bundle.constitution.identity_sha256],
      ["purpose sha256", bundle.constitution.purpose_sha256],
      ["policy sha256", bundle.constitution.policy_sha256]
    ]),
    heading("Adapter"),
    fields([
      ["id", bundle.adapter.id],
      ["mode", bundle.adapter.mode],
      ["driver", bundle.adapter.driver],
      ["model", bundle.adapter.model],
      ["timeout", `${bundle.adapter.timeout_ms} ms`],
      ["autonomy", bundle.adapter.autonomy],
      ["arguments", bundle.adapter.args.length === 0 ? null : bundle.adapter.args.map(words).join(" ")]
    ]),
    heading("Workspace"),
    bundle.workspace.repository
      ? fields([
          ["path", bundle.workspace.path],
          ["git", bundle.workspace.git_sha],
          ["dirty", bundle.workspace.dirty]
        ])
      : text(bundle.workspace.path === null ? "none" : `${bundle.workspace.path} (no repository)`),
    heading("Skills"),
    table(
      ["id", "delivery", "path", "sha256"],
      bundle.skills.map((one) => [one.id, one.delivery, one.path, one.sha256])
    ),
    heading("Artifacts"),
    table(
      ["role", "path", "exists", "sha256"],
      bundle.artifacts.map((one) => [one.role, one.path, one.exists, one.sha256])
    ),
    heading("External inputs"),
    table(
      ["name", "cached", "sha256"],
      bundle.external_inputs.map((one) => [one.name, one.cached, one.sha256])
    ),
    heading("Memory"),
    table(
      ["task", "sha256"],
      bundle.memory.map((one) => [one.task_id, one.sha256])
    ),
    heading("Prompt"),
    text(bundle.prompt.rendered_text)
  ]
})

export const bundleDiff = command({
  name: "bundle-diff",
  group: "Look",
  summary: "which inputs changed between two attempts",
  description:
    "Compares part by part; the prompt line by line. A value above 200 characters is shown as its beginning, its length and its hash; `left_out` counts what is not shown.",
  example:
    "agent-runtime bundle-diff 0196a1b2-0000-7000-8000-000000000001 0196a1b2-0000-7000-8000-000000000002",
  arguments: [
    { name: "a", required: true, live: "attempts", description: NAMED },
    { name: "b", required: true, live: "attempts", description: "The one to compare it with, named alike." }
  ],
  options: [],
  run: (input) => ask(async () => (await import("../operate/Bundles.ts")).diff, input),
  view: ({ a, b, changes, left_out, prompt, same }) => [
    heading(same ? "The same inputs" : "Different inputs"),
    table(
      ["", "bundle", "attempt", "adapter", "model", "hash"],
      [
        ["a", a.bundle_id, a.attempt_id, a.adapter_id, a.model, a.bundle_hash.slice(0, 12)],
        ["b", b.bundle_id, b.attempt_id, b.adapter_id, b.model, b.bundle_hash.slice(0, 12)]
      ]
    ),
    heading("Inputs"),
    table(
      [{ title: "path", keep: true }, "change", "before", "after"],
      changes.map((one) => [
        one.path,
        status(one.change),
        one.change === "added" ? null : inWords(one.before),
        one.change === "removed" ? null : inWords(one.after)
      ]),
      "none changed"
    ),
    ...(left_out.changes === 0 ? [] : [text(`and ${left_out.changes} more`)]),
    heading("Prompt"),
    ...(prompt.length === 0
      ? [text("no line changed")]
      : [
          text(
            ...prompt.flatMap((hunk) => [
              `@@ line ${hunk.before_line} of a, line ${hunk.after_line} of b`,
              ...hunk.removed.map((line) => `- ${line}`),
              ...hunk.added.map((line) => `+ ${line}`)
            ])
          )
        ]),
    ...(left_out.prompt_lines === 0 ? [] : [text(`and ${left_out.prompt_lines} more lines`)])
  ]
})
