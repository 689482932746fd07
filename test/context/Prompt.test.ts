import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { executionRules, kindRules } from "../../src/context/Guidance.ts"
import { responseContract } from "../../src/context/ResponseContract.ts"
import { ProfileStyle } from "../../src/domain/Profile.ts"
import { it } from "../support/effect.ts"
import { golden } from "./golden.ts"
import {
  agentCli,
  finished,
  frozen,
  ollama,
  openai,
  profile,
  promptOf,
  round,
  script,
  task
} from "./world.ts"

const titles = (prompt: string) => [...prompt.matchAll(/^## (.*)$/gm)].map(([, title]) => title ?? "")
const bodyOf = (prompt: string, title: string) => {
  const start = prompt.indexOf(`## ${title}\n`)
  return start < 0 ? "" : prompt.slice(start, prompt.indexOf("\n\n## ", start) >>> 0)
}

const skill = (id: string) => `/skills/${id}/SKILL.md`
const skillDirs = [{ given: "skills", path: "/skills" }]

const everything = {
  given: {
    task: task({
      kind: "goal-execute",
      description: "Make the pump quiet.",
      workflow_id: 7,
      payload: {
        objective: "A quiet pump",
        scope: ["pump", "pipes"],
        phase: "execute",
        iteration: 1,
        proposal_artifact: "plans/pump-plan.md",
        implementation_artifact: "reports/pump-execute-1.md",
        required_artifacts: ["reports/pump-execute-1.md"],
        phase_skills: ["planning", "repo-edit"],
        workflow_template: "goal-loop",
        workflow_instance_key: "pump"
      }
    }),
    round: round({ workflowState: Option.some("execute"), note: Option.some("Use the small wrench.") }),
    profile: profile({
      system_prompt_parts: ["Speak plainly.", "Ask before you break things."],
      skills: ["planning"],
      tool_policy: { allow_repo_changes: true, allow_external_post: false },
      integration_policies: { mcp: "none", discord: "bridge-only", shop: "supervised" },
      context_policy: { include_recent_task_memory: true },
      result_schema: { primary_output: "execution report", allow_follow_up_tasks: true }
    }),
    adapter: agentCli(),
    memory: [
      finished("t-1", "Oiled the pump.", { kind: "goal-execute" }),
      finished("t-2", "Bought oil.", { kind: "goal-execute" })
    ],
    lastFailure: Option.some({
      attemptNumber: 1,
      reason: "verification_failed",
      issues: ["reports/pump-execute-1.md was not written"]
    })
  },
  config: {
    identity: Option.some({ given: "IDENTITY.md", path: "/config/IDENTITY.md" }),
    purpose: Option.some({ given: "PURPOSE.md", path: "/config/PURPOSE.md" }),
    skillDirs
  },
  fixed: {
    files: {
      "/config/IDENTITY.md": { text: "I am the house.\n" },
      "/config/PURPOSE.md": { text: "To stay dry.\n" },
      [skill("planning")]: { text: "Plan first, then act.\n" }
    }
  }
}

describe("the prompt", () => {
  it.effect("has its sections in the order of the contract", () =>
    Effect.gen(function* () {
      const prompt = yield* promptOf(everything.given, everything.config, everything.fixed)
      expect(titles(prompt)).toEqual([
        "Runtime policy",
        "Identity",
        "Purpose",
        "Profile lumen",
        "Task",
        "Skills",
        "How to work",
        "Tasks of kind goal-execute",
        "Workflow phase",
        "Recent tasks of this kind",
        "What failed last time",
        "Payload",
        "Response"
      ])
    })
  )

  it.effect("is the text of the golden file", () =>
    Effect.gen(function* () {
      const prompt = yield* promptOf(everything.given, everything.config, everything.fixed)
      yield* golden("prompt.txt", prompt)
    })
  )

  it.effect("of a fresh trusted script task is the text of the golden file", () =>
    Effect.flatMap(promptOf(), (prompt) => golden("prompt-small.txt", prompt))
  )

  it.effect("begins with a plain line, which no agent CLI takes for a command or an option", () =>
    Effect.map(promptOf(), (prompt) => expect(prompt).toMatch(/^[A-Z][a-z]+ /))
  )

  it.effect("shows every declared field of the profile", () =>
    Effect.gen(function* () {
      const prompt = yield* promptOf(everything.given, everything.config, everything.fixed)
      const section = bodyOf(prompt, "Profile lumen")
      for (const part of [
        "keeper of the house",
        "Speak plainly.",
        "Ask before you break things.",
        "allow_repo_changes: yes",
        "allow_external_post: no",
        "mcp: none",
        "discord: bridge-only",
        "shop: supervised"
      ])
        expect(section).toContain(part)
      expect(bodyOf(prompt, "How to work")).toContain(executionRules("claude-like", "agent-cli"))
      expect(bodyOf(prompt, "Skills")).toContain("Plan first, then act.")
      expect(bodyOf(prompt, "Task")).toContain("execution report")
      expect(bodyOf(prompt, "Response")).toContain("at most 20")
    })
  )

  it.effect("shows memory only where the profile asks for it", () =>
    Effect.gen(function* () {
      const { bundle } = yield* frozen({ memory: [finished("t-1", "Oiled it.", { kind: "note" })] })
      expect(titles(bundle.prompt.renderedText)).not.toContain("Recent tasks of this kind")
      expect(bundle.memory).toEqual([])
    })
  )

  for (const style of ProfileStyle.literals)
    for (const adapter of [script(), agentCli(), ollama(), openai()])
      it.effect(`of a ${style} profile has at most 3,000 characters of its own (${adapter.mode})`, () =>
        Effect.gen(function* () {
          for (const kind of ["note", "goal-plan", "goal-execute", "goal-verify", "wallet-checklist-draft"]) {
            const bare = { kind, subject: null, untrusted: true, workflow_id: 7, payload: {} }
            const prompt = yield* promptOf(
              { task: task(bare), profile: profile({ style, role: "r" }), adapter },
              { runtimePolicy: "p" }
            )
            expect(prompt.length).toBeLessThanOrEqual(3_000)
            expect(prompt).toContain(executionRules(style, adapter.mode))
            expect(prompt).toContain(kindRules({ kind, untrusted: true }))
          }
        })
      )
})

describe("a prompt of 4,000 characters", () => {
  const policy = "Policy. ".repeat(60)
  const tight = (given: Record<string, unknown> = {}) => ({
    task: task({ payload: { message: "m".repeat(5 * 1024 * 1024) }, ...given }),
    profile: profile({
      skills: ["big"],
      context_policy: { include_recent_task_memory: true, max_prompt_chars: 4_000 }
    }),
    memory: Array.from({ length: 5 }, (_, index) =>
      finished(`t-${index}`, "s".repeat(400), { kind: "note" })
    ),
    adapter: ollama(),
    lastFailure: Option.some({ attemptNumber: 1, reason: "r".repeat(900), issues: [] })
  })
  const fixed = { files: { [skill("big")]: { text: "k".repeat(100_000) } } }
  const config = { runtimePolicy: policy, skillDirs }

  it.effect("keeps policy, task header and response contract whole, and marks what it shortens", () =>
    Effect.gen(function* () {
      const { bundle } = yield* frozen(tight(), config, fixed)
      const prompt = bundle.prompt.renderedText
      expect(prompt.length).toBeLessThanOrEqual(4_000)
      expect(prompt).toContain(policy.trim())
      expect(prompt).toContain("- subject: Look at the pump")
      expect(prompt).toContain(
        responseContract({ allowFollowUpTasks: false, allowExternalMessages: false }, [])
      )
      expect(prompt).toMatch(/\[memory shortened: 0 of [\d,]+ characters shown\]/)
      expect(prompt).toMatch(/\[payload shortened: 0 of 5,242,\d{3} characters shown\]/)
      expect(prompt).toMatch(/\[skills shortened: [1-9][\d,]* of 100,\d{3} characters shown\]/)
      expect(bundle.memory).toEqual([])
    })
  )

  it.effect("names in the bundle just the memory that is still shown", () =>
    Effect.gen(function* () {
      const { bundle } = yield* frozen(
        {
          ...tight({ payload: { message: "short" } }),
          profile: profile({ context_policy: { include_recent_task_memory: true, max_prompt_chars: 4_000 } }),
          lastFailure: Option.none()
        },
        config
      )
      const shown = bundle.memory.length
      expect(shown).toBeGreaterThan(0)
      expect(shown).toBeLessThan(5)
      expect(bodyOf(bundle.prompt.renderedText, "Recent tasks of this kind").split("\n- ")).toHaveLength(
        shown + 1
      )
    })
  )

  it.effect("that the policy alone fills is a clear refusal, which names the policy and the remedy", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.flip(frozen(tight(), { runtimePolicy: "P".repeat(3_900) }, fixed))
      expect(failed.reason).toBe("prompt_too_large")
      expect(failed.detail).toContain("max_prompt_chars of profile lumen is 4,000")
      expect(failed.detail).toContain("runtimePolicy with 3,900")
      expect(failed.detail).toContain("raise max_prompt_chars")
    })
  )

  it.effect("that the task's own words fill names these", () =>
    Effect.gen(function* () {
      const long = {
        subject: "S".repeat(900),
        payload: { required_artifacts: Array.from({ length: 12 }, (_, n) => `${n}${"a".repeat(400)}`) }
      }
      const failed = yield* Effect.flip(frozen(tight(long), { runtimePolicy: "P".repeat(200) }, fixed))
      expect(failed.detail).toMatch(
        /is the task's header \(its kind, subject, source and artifacts\) with \d,\d{3}: shorten it/
      )
    })
  )
})
