import { describe, expect, test } from "bun:test"
import { DateTime, Option } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import type { DayOfBudgets } from "../../src/dispatch/Charges.ts"
import { admitsUntrusted, closed } from "../../src/dispatch/Eligibility.ts"
import { profile, settings } from "../support/settings.ts"

const dispatch = (
  limits: Record<string, number>,
  untrusted: Option.Option<ReadonlyArray<string>> = Option.none()
) => ({
  concurrency: 4,
  drainSeconds: 30,
  adapterConcurrency: new Map(Object.entries(limits)),
  untrustedAdapters: untrusted
})

const given = settings({
  profiles: new Map([
    ["lumen", profile()],
    ["own", profile({ profile_id: "own", default_adapter: "codex" })]
  ]),
  adapters: new Map(
    [
      scriptSettings("local"),
      scriptSettings("codex", { fallbackAdapter: Option.some("local") }),
      scriptSettings("chief", { fallbackAdapter: Option.some("codex") })
    ].map((one) => [one.id, one])
  ),
  dispatch: dispatch({ codex: 2 })
})

const lane = (adapter?: string, name?: string, untrusted = false) => ({
  requestedAdapter: Option.fromNullable(adapter),
  requestedProfile: Option.fromNullable(name),
  untrusted,
  workflowTemplate: Option.none<string>()
})

const until = DateTime.unsafeMake(1_000)
const day: DayOfBudgets = { start: DateTime.unsafeMake(0), accounts: new Map(), amounts: new Map() }
const open = {
  settings: given,
  cooldowns: [],
  running: new Map<string, number>(),
  day,
  grounds: new Map(),
  occupants: []
}
const cooling = { ...open, cooldowns: [{ adapterId: "codex", reason: Option.some("429"), until }] }

describe("the tasks of a lane start", () => {
  test("while nothing is in their way", () => {
    expect(closed(lane(), open)).toEqual(Option.none())
    expect(closed(lane(), cooling)).toEqual(Option.none())
  })

  test("not while the adapter that they request, or that their profile prefers, cools down", () => {
    const why = { _tag: "Cooldown", adapterId: "codex", until, reason: "429" }
    expect(closed(lane("codex"), cooling)).toEqual(Option.some(why as never))
    expect(closed(lane(undefined, "own"), cooling)).toEqual(Option.some(why as never))
    expect(closed(lane("local", "own"), cooling)).toEqual(Option.none())
  })

  test("not while the fallback cools down that untrusted input has to run on", () => {
    const only = (...ids: ReadonlyArray<string>) => ({
      ...cooling,
      settings: { ...given, dispatch: dispatch({}, Option.some(ids)) }
    })
    const isShut = (untrusted: boolean, ...ids: ReadonlyArray<string>) =>
      Option.isSome(closed(lane("chief", undefined, untrusted), only(...ids)))
    expect(isShut(true, "codex")).toBe(true)
    expect(isShut(true, "local")).toBe(false)
    expect(isShut(true, "chief", "codex")).toBe(false)
    expect(isShut(false, "codex")).toBe(false)
    // The attempt will tell that nothing may run it; there is nothing to wait for.
    expect(isShut(true)).toBe(false)
    expect(Option.isSome(closed(lane("codex", undefined, true), only()))).toBe(true)
  })

  test("not while their adapter runs as many attempts as it may", () => {
    const running = (count: number) => ({ ...open, running: new Map([["codex", count]]) })
    expect(closed(lane("codex"), running(1))).toEqual(Option.none())
    expect(Option.getOrThrow(closed(lane("codex"), running(2)))).toMatchObject({
      _tag: "AdapterBusy",
      limit: 2
    })
    expect(closed(lane("local"), running(2))).toEqual(Option.none())
  })
})

test("untrusted input runs on every adapter, or on those that are named", () => {
  expect(admitsUntrusted("local", given)).toBe(true)
  const named = { dispatch: dispatch({}, Option.some(["codex"])) }
  expect([admitsUntrusted("local", named), admitsUntrusted("codex", named)]).toEqual([false, true])
})
