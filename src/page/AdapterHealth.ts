import type { Adapter } from "./Wire.ts"
import { counted, type Tone } from "./Words.ts"

/** Whether an adapter can work, as a tone and a word. */
export const healthOf = (adapter: Adapter): readonly [Tone, string] => {
  if (adapter.cooldown !== null) return ["blocked", "cools down"]
  if (adapter.ok === false) return ["failed", "not ready"]
  if (adapter.ok === undefined) return ["waiting", "not asked"]
  return (adapter.warnings ?? []).length > 0 ? ["blocked", "ready, with warnings"] : ["completed", "ready"]
}

const needOf = (adapter: Adapter): number =>
  adapter.ok === false ? 0 : adapter.cooldown !== null ? 1 : (adapter.warnings ?? []).length > 0 ? 2 : 3

/** What needs hands first; else in the order of the configuration. */
export const needyFirst = (a: Adapter, b: Adapter): number => needOf(a) - needOf(b)

/** How many can work, and where those stand that cannot. */
export const healthWords = (adapters: ReadonlyArray<Adapter>): string => {
  const broken = adapters.filter(({ ok }) => ok === false).length
  return `Each is asked whether it can work: command, settings, endpoint, model. ${
    broken === 0 ? "All can." : `${counted(broken)} of ${counted(adapters.length)} cannot, and stand first.`
  }`
}
