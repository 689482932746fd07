import { Schema } from "effect"
import type { Unit } from "../../dispatch/HostFacts.ts"
import { wireStruct } from "../../domain/Wire.ts"

const texts = Schema.Array(Schema.String)

/** What every part of the report has: what is wrong, with what mends it, and what is only worth knowing. */
export const findings = { ok: Schema.Boolean, problems: texts, warnings: texts }

export const row = (problems: ReadonlyArray<string>, warnings: ReadonlyArray<string> = []) => ({
  ok: problems.length === 0,
  problems,
  warnings
})

/** A part that is looked at beside the configuration, the store and the disk. */
export const Check = wireStruct({
  id: Schema.Literal("permissions", "clock", "dispatcher", "units", "producers", "http"),
  ...findings
})
export type Check = typeof Check.Type

/** How an operator calls the manager of a unit. */
export const systemctl = ({ manager }: Unit): string =>
  manager === "user" ? "systemctl --user" : "systemctl"

export const check = (
  id: Check["id"],
  problems: ReadonlyArray<string>,
  warnings: ReadonlyArray<string> = []
): Check => ({ id, ...row(problems, warnings) })
