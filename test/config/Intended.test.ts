import { describe, expect, test } from "bun:test"
import { Option } from "effect"
import { scriptSettings } from "../../layers/adapter/ScriptedAdapters.ts"
import { intendedOf } from "../../src/config/Intended.ts"
import { profile, settings } from "../support/settings.ts"

const given = settings({
  profiles: new Map([
    ["lumen", profile()],
    ["own", profile({ profile_id: "own", default_adapter: "codex" })],
    ["lost", profile({ profile_id: "lost", default_adapter: "gone" })]
  ]),
  adapters: new Map(["local", "codex"].map((id) => [id, scriptSettings(id)]))
})

const meant = (adapter?: string, name?: string) =>
  intendedOf({ adapter: Option.fromNullable(adapter), profile: Option.fromNullable(name) }, given)

describe("a task is meant for", () => {
  test("the adapter that it requests, configured or not", () => {
    expect(meant("codex", "own")).toBe("codex")
    expect(meant("anything")).toBe("anything")
  })
  test("its profile's default adapter where that is configured", () => {
    expect(meant(undefined, "own")).toBe("codex")
    expect(meant(undefined, "lost")).toBe("local")
  })
  test("the default adapter otherwise, also where its profile is unknown", () => {
    expect(meant()).toBe("local")
    expect(meant(undefined, "nobody")).toBe("local")
  })
})
