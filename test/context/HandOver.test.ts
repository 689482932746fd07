import { describe, expect, test } from "bun:test"
import { FastCheck as fc } from "effect"
import {
  ARTIFACT_ROOT,
  handOver,
  literally,
  sizeOf,
  skillDirPlace,
  withoutSplitPlace
} from "../../src/context/HandOver.ts"

/** Text that is full of what looks like a place. */
const tricky = fc
  .array(
    fc.oneof(
      fc.constantFrom("$", "$$", "$ARTIFACT_ROOT", "ARTIFACT_ROOT", "$SKILL_DIR_", "SKILL_DIR_0", "1", "/x"),
      fc.string({ maxLength: 3 })
    ),
    { maxLength: 12 }
  )
  .map((parts) => parts.join(""))

describe("handing a prompt over", () => {
  test("fills the artifact root in wherever it stands", () => {
    expect(handOver(`a ${ARTIFACT_ROOT}/x and ${ARTIFACT_ROOT}.`, "/data/a")).toBe("a /data/a/x and /data/a.")
  })

  test("fills a skill folder in by its number, and leaves one that is not there", () => {
    expect(handOver(`${skillDirPlace(1)}/x ${skillDirPlace(7)}/y`, "/a", ["/s0", "/s1"])).toBe(
      "/s1/x $SKILL_DIR_7/y"
    )
  })

  test("takes a root with dollars and patterns in it as it is", () => {
    expect(handOver(`${ARTIFACT_ROOT}/x`, "/a/$&/$ARTIFACT_ROOT/$1")).toBe("/a/$&/$ARTIFACT_ROOT/$1/x")
  })

  test("gives content back exactly as it was, whatever places it spells", () => {
    fc.assert(
      fc.property(tricky, (text) => expect(handOver(literally(text), "/root", ["/s0", "/s1"])).toBe(text)),
      { numRuns: 500 }
    )
  })

  test("keeps apart content and places that stand side by side", () => {
    fc.assert(
      fc.property(tricky, (text) =>
        expect(handOver(`${literally(text)}\n${ARTIFACT_ROOT}\n${literally(text)}`, "/r")).toBe(
          `${text}\n/r\n${text}`
        )
      )
    )
  })

  test("is done in linear time with a million dollars", () => {
    const dollars = "$".repeat(1_000_000)
    const text = `${dollars}x${dollars}ARTIFACT_ROOT`
    expect(handOver(literally(text), "/r") === text).toBe(true)
    expect(withoutSplitPlace(dollars)).toBe("")
  }, 5_000)
})

test("a place is measured with room for a real path, a literal one is not", () => {
  expect(sizeOf(ARTIFACT_ROOT)).toBeGreaterThan(100)
  expect(sizeOf(literally(ARTIFACT_ROOT))).toBe(ARTIFACT_ROOT.length + 1)
})

test("a cut never leaves a literal place that reads as a real one", () => {
  const whole = literally("see $ARTIFACT_ROOT/x and $SKILL_DIR_12/y")
  for (let at = 0; at <= whole.length; at++) {
    const cut = withoutSplitPlace(whole.slice(0, at))
    expect("see $ARTIFACT_ROOT/x and $SKILL_DIR_12/y".startsWith(handOver(cut, "/ROOT", ["/S"]))).toBe(true)
  }
})
