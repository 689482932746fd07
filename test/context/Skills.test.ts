import { describe, expect, test } from "bun:test"
import { Effect, Option } from "effect"
import { layer } from "../../layers/context/FixedWorkspace.ts"
import { MOST_SKILL_BYTES, resolveSkill, skillIds } from "../../src/context/Skills.ts"
import { it } from "../support/effect.ts"
import { agentCli, frozen, handedOver, ollama, openai, profile, script, task } from "./world.ts"

const dirs = [
  { given: "skills", path: "/config/skills" },
  { given: "/shared/skills", path: "/shared/skills" }
]
const files = {
  "/config/skills/plan/SKILL.md": { text: "Plan here." },
  "/shared/skills/plan/SKILL.md": { text: "Plan there." },
  "/shared/skills/write/SKILL.md": { text: "Write there." },
  "/shared/skills/folder/SKILL.md": {},
  "/config/secret/SKILL.md": { text: "secret" },
  "/shared/skills/huge/SKILL.md": { text: "h".repeat(MOST_SKILL_BYTES + 1) }
}
const resolve = (id: string, adapter: Parameters<typeof resolveSkill>[2] = script()) =>
  resolveSkill(id, dirs, adapter).pipe(Effect.provide(layer({ files })))

describe("a skill", () => {
  it.effect("is the first SKILL.md of its id in the skill folders, its path as configured", () =>
    Effect.gen(function* () {
      const plan = yield* resolve("plan")
      expect(plan.path).toEqual(Option.some("skills/plan/SKILL.md"))
      expect(plan.text).toBe("### plan\nPlan here.")
      const write = yield* resolve("write")
      expect(write.path).toEqual(Option.some("/shared/skills/write/SKILL.md"))
      expect(Option.getOrThrow(write.sha256)).toMatch(/^[0-9a-f]{64}$/)
    })
  )

  for (const id of [
    "none",
    "../secret",
    "..",
    ".",
    "",
    " ",
    "a/b",
    "plan/../../secret",
    "a\0b",
    "a\\b",
    "folder"
  ])
    it.effect(`whose id is ${JSON.stringify(id)} is missing, and marked so`, () =>
      Effect.map(resolve(id), (skill) => {
        expect(skill.delivery).toBe("missing")
        expect(skill.path).toEqual(Option.none())
        expect(skill.text).toContain("[skill not found")
      })
    )

  it.effect("is cut at 256 KiB with a mark", () =>
    Effect.map(resolve("huge"), ({ text }) => {
      expect(text.length).toBeLessThan(MOST_SKILL_BYTES + 100)
      expect(text).toEndWith("[skill shortened: 262,144 of 262,145 bytes]")
    })
  )

  it.effect("reaches a driver that may read skill folders by path, everyone else as text", () =>
    Effect.gen(function* () {
      const free = agentCli({ driver: "claude-code", autonomy: "trusted-vm" })
      const others = [script(), ollama(), openai(), agentCli(), agentCli({ driver: "claude-code" })]
      for (const adapter of others) expect((yield* resolve("write", adapter)).delivery).toBe("text")
      const skill = yield* resolve("write", free)
      expect(skill.delivery).toBe("path")
      expect(skill.text).not.toContain("Write there.")
      const config = { skillDirs: dirs }
      const given = { adapter: free, profile: profile({ skills: ["write"] }) }
      expect(yield* handedOver(given, config, { files })).toContain("read /shared/skills/write/SKILL.md")
    })
  )

  it.effect("changes the hash by its text even when it is given by path", () =>
    Effect.gen(function* () {
      const given = {
        adapter: agentCli({ driver: "claude-code", autonomy: "trusted-vm" }),
        profile: profile({ skills: ["write"] })
      }
      const hash = (text: string) =>
        Effect.map(
          frozen(given, { skillDirs: dirs }, { files: { "/shared/skills/write/SKILL.md": { text } } }),
          ({ bundleHash }) => bundleHash
        )
      expect(yield* hash("one")).not.toBe(yield* hash("onE"))
    })
  )
})

describe("the skills of an attempt", () => {
  const named = { phase_skills: ["plan", "verify", 7], skill_refs: ["notes", "plan"] }

  test("are the profile's, then the task's, each once", () => {
    expect(skillIds({ skills: ["write", "plan"] }, task({ payload: named }))).toEqual([
      "write",
      "plan",
      "verify",
      "notes"
    ])
  })

  test("are the profile's alone when the task comes from outside", () => {
    expect(skillIds({ skills: ["write"] }, task({ payload: named, untrusted: true }))).toEqual(["write"])
  })
})
