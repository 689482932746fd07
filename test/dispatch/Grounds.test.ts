import { describe, expect, test } from "bun:test"
import { DateTime, FastCheck, Option } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { closed } from "../../src/dispatch/Eligibility.ts"
import { clash, inTheWay, isBefore, type Occupant } from "../../src/dispatch/Grounds.ts"
import { TaskId } from "../../src/domain/Ids.ts"
import type { Ground } from "../../src/store/Gates.ts"
import { settings } from "../support/settings.ts"

const at = (millis: number) => DateTime.unsafeMake(millis)
const ground = (dir: string, workspace: Ground["workspace"] = "shared"): Ground => ({ dir, workspace })
const occupant = (task: string, here: Ground, since = 0): Occupant => ({
  taskId: TaskId.make(task),
  adapterId: `of-${task}`,
  ground: here,
  since: at(since)
})

describe("attempts clash", () => {
  test("in one folder, when either of them wants to be alone there", () => {
    const modes = ["exclusive", "shared", "worktree"] as const
    const clashing = modes.flatMap((one) =>
      modes.filter((other) => clash(ground("/a", one), ground("/a", other))).map((other) => `${one} ${other}`)
    )
    expect(clashing).toEqual([
      "exclusive exclusive",
      "exclusive shared",
      "exclusive worktree",
      "shared exclusive",
      "worktree exclusive"
    ])
  })

  test("never in two folders, whoever comes first", () => {
    const mode = FastCheck.constantFrom<Ground["workspace"]>("exclusive", "shared", "worktree")
    FastCheck.assert(
      FastCheck.property(mode, mode, FastCheck.boolean(), (one, other, same) => {
        const [a, b] = [ground("/a", one), ground(same ? "/a" : "/b", other)]
        return clash(a, b) === clash(b, a) && (same || !clash(a, b))
      })
    )
  })
})

describe("a folder is in use", () => {
  const grounds = new Map([
    ["writer", ground("/repo", "exclusive")],
    ["reader", ground("/repo")]
  ])

  test("by the attempt that has been there longest", () => {
    const occupants = [
      occupant("b", ground("/repo"), 9),
      occupant("a", ground("/repo"), 3),
      occupant("c", ground("/other", "exclusive"), 1)
    ]
    expect(Option.getOrThrow(inTheWay("writer", { grounds, occupants }))).toEqual({
      _tag: "WorkspaceInUse",
      adapterId: "writer",
      dir: "/repo",
      by: { taskId: TaskId.make("a"), adapterId: "of-a", since: at(3) }
    })
    expect(inTheWay("reader", { grounds, occupants })).toEqual(Option.none())
  })

  test("for nobody without hands", () => {
    const occupants = [occupant("a", ground("/repo", "exclusive"))]
    expect(inTheWay("chat", { grounds, occupants })).toEqual(Option.none())
  })

  test("is told after what else holds a lane back, so that nobody makes room in vain", () => {
    const given = settings({
      adapters: new Map([["writer", scriptSettings("writer", { workspace: "exclusive" })]])
    })
    const conditions = {
      settings: given,
      cooldowns: [{ adapterId: "writer", reason: Option.none(), until: at(9) }],
      running: new Map<string, number>(),
      day: { start: at(0), accounts: new Map(), amounts: new Map() },
      grounds,
      occupants: [occupant("a", ground("/repo"))]
    }
    const lane = {
      requestedAdapter: Option.some("writer"),
      requestedProfile: Option.none(),
      untrusted: false,
      workflowTemplate: Option.none()
    }
    const tagOf = (changes: object) =>
      Option.getOrThrow(closed(lane, { ...conditions, ...changes }))._tag as string
    expect(tagOf({})).toBe("Cooldown")
    expect(tagOf({ cooldowns: [] })).toBe("WorkspaceInUse")
  })
})

test("the order of claims is by priority, then age, then id", () => {
  const head = (task: string, priority: number, createdAt: number) => ({
    taskId: TaskId.make(task),
    priority,
    createdAt: at(createdAt)
  })
  const sorted = [head("c", 9, 5), head("a", 5, 1), head("b", 5, 1), head("0", 5, 2), head("z", 0, 0)]
  for (const [index, one] of sorted.entries())
    for (const [other, two] of sorted.entries()) expect(isBefore(one, two)).toBe(index < other)
})
