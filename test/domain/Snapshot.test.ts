import { describe, expect, test } from "bun:test"
import { DateTime, Option, Schema } from "effect"
import { ofSnapshotName, SnapshotLabel, snapshotName } from "../../src/domain/Snapshot.ts"

const at = DateTime.unsafeMake("2026-04-29T07:01:02.003Z")

describe("a snapshot's name", () => {
  test("begins with its time, sorts as that does, and tells both its parts", () => {
    const name = snapshotName(at, "before-upgrade.2")
    expect(name).toBe("2026-04-29T07-01-02-003Z-before-upgrade.2.json")
    expect(ofSnapshotName(name)).toEqual({
      capturedAt: Option.some(at),
      label: Option.some("before-upgrade.2")
    })
  })

  test("tells what it can when another program gave it", () => {
    for (const name of ["2026-04-29T07:01:02.003Z-a.json", "old/2026-04-29T07-01-02-003Z-a.json"])
      expect(ofSnapshotName(name)).toEqual({ capturedAt: Option.some(at), label: Option.some("a") })
    expect(ofSnapshotName("2026-04-29T07-01-02-003Z.json")).toEqual({
      capturedAt: Option.some(at),
      label: Option.none()
    })
    for (const name of ["baseline.json", "2026-99-29T07-01-02-003Z-a.json", ""])
      expect(Option.isNone(ofSnapshotName(name).capturedAt)).toBe(true)
  })
})

test("a label is a safe part of a file's name", () => {
  const fits = Schema.is(SnapshotLabel)
  for (const label of ["a", "before-upgrade", "v1.2_3", "x".repeat(100)])
    expect([label, fits(label)]).toEqual([label, true])
  for (const label of [
    "",
    " ",
    ".",
    "..",
    ".a",
    "-a",
    "a/b",
    "a\\b",
    "a\0",
    "a b",
    "ü",
    "a\n",
    "x".repeat(101)
  ])
    expect([label, fits(label)]).toEqual([label, false])
})
