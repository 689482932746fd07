import { expect, test } from "bun:test"
import { healthWords, needyFirst } from "../../src/page/AdapterHealth.ts"
import type { Adapter } from "../../src/page/Wire.ts"

const adapter = (id: string, given: Partial<Adapter> = {}): Adapter => ({
  id,
  mode: "script",
  driver: null,
  model: null,
  workspace: "exclusive",
  autonomy: null,
  fallback: null,
  default: false,
  untrusted: false,
  concurrency: null,
  running: 0,
  cooldown: null,
  ok: true,
  ...given
})

test("adapters that need hands stand first, the others as they are configured", () => {
  const all = [
    adapter("b"),
    adapter("a"),
    adapter("warned", { warnings: ["it may write everywhere"] }),
    adapter("cooling", { cooldown: { until: "2026-04-29T12:00:00.000Z", reason: null } }),
    adapter("broken", { ok: false })
  ]
  expect([...all].sort(needyFirst).map(({ id }) => id)).toEqual(["broken", "cooling", "warned", "b", "a"])
  expect(healthWords(all)).toEndWith("1 of 5 cannot, and stand first.")
  expect(healthWords([adapter("a")])).toEndWith("All can.")
})
