import { describe, expect, test } from "bun:test"
import { Effect, Option, Schema } from "effect"
import { lastFailureText } from "../../src/context/LastFailure.ts"
import { Profile } from "../../src/domain/Profile.ts"
import { it } from "../support/effect.ts"
import { agentCli, frozen, promptOf, round, script } from "./world.ts"

const policy = (includeLastFailure?: boolean) =>
  Schema.decodeUnknownSync(Profile)({
    profile_id: "p",
    style: "quarantine",
    role: "r",
    context_policy: includeLastFailure === undefined ? {} : { include_last_failure: includeLastFailure }
  }).contextPolicy

const last = Option.some({
  attemptNumber: 2,
  reason: "verification_failed",
  issues: ["report.md is missing", "permission denied: Bash"]
})
const none = Option.none<string>()

describe("what failed last time", () => {
  test("is told to model-backed adapters unless the profile says no, to scripts only where it says yes", () => {
    const told = (wanted: boolean | undefined, mode: "script" | "openai-chat") =>
      Option.isSome(lastFailureText(policy(wanted), mode, last, none))
    expect([undefined, true, false].map((wanted) => told(wanted, "openai-chat"))).toEqual([true, true, false])
    expect([undefined, true, false].map((wanted) => told(wanted, "script"))).toEqual([false, true, false])
  })

  test("names the reason, the issues, the denials and the operator's note", () => {
    const text = Option.getOrThrow(lastFailureText(policy(false), "script", last, Option.some("Try tea.")))
    for (const part of ["verification_failed", "report.md is missing", "permission denied: Bash", "Try tea."])
      expect(text).toContain(part)
  })

  test("is absent when there is nothing to tell", () => {
    expect(lastFailureText(policy(true), "script", Option.none(), none)).toEqual(Option.none())
    expect(lastFailureText(policy(true), "script", Option.none(), Option.some("  "))).toEqual(Option.none())
    const silent = Option.some({ attemptNumber: 1, reason: "", issues: [] })
    expect(lastFailureText(policy(true), "script", silent, none)).toEqual(Option.none())
  })

  test("stays bounded however much went wrong", () => {
    const much = { attemptNumber: 1, reason: "r".repeat(1e6), issues: Array(5_000).fill("i".repeat(1e4)) }
    const text = Option.getOrThrow(lastFailureText(policy(true), "script", Option.some(much), none))
    expect(text.length).toBeLessThan(8_000)
    expect(text).toContain("4,980 more issues")
  })

  it.effect("is part of the bundle and its hash; the number of the attempt is not", () =>
    Effect.gen(function* () {
      const hash = (attemptNumber: number, reason: string, note = none) =>
        Effect.map(
          frozen({
            adapter: agentCli(),
            round: round({ note }),
            lastFailure: Option.some({ attemptNumber, reason, issues: [] })
          }),
          (one) => one.bundleHash
        )
      const first = yield* hash(1, "timeout")
      expect(yield* hash(9, "timeout")).toBe(first)
      expect(yield* hash(1, "timeouT")).not.toBe(first)
      expect(yield* hash(1, "timeout", Option.some("slower"))).not.toBe(first)
    })
  )

  it.effect("is not in a script's prompt unless an operator wrote a note", () =>
    Effect.gen(function* () {
      const given = { adapter: script(), lastFailure: last }
      expect(yield* promptOf(given)).not.toContain("What failed last time")
      expect(yield* promptOf({ ...given, round: round({ note: Option.some("Mind the gap.") }) })).toContain(
        "## What failed last time\nYour operator says:\nMind the gap."
      )
    })
  )
})
