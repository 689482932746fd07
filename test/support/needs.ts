import { test } from "bun:test"
import { missing, type Need, rights } from "./probes.ts"

/**
 * A `test` for behaviour that cannot be tried without other programs of the system. Where one is missing,
 * the test is skipped and listed under `not run: needs X` by `npm test`; with CI set it fails instead.
 */
export const needs = (...names: ReadonlyArray<Need>) => {
  const lacking = missing(names)
  return (name: string, body: () => Promise<void>, timeoutMs?: number): void => {
    const named = `${name} [needs ${lacking.join(", ")}]`
    if (lacking.length === 0) test(name, body, timeoutMs)
    else if (
      process.env.CI === undefined ||
      process.env.CI === "" ||
      lacking.every((one) => rights.includes(one))
    )
      test.skip(named, body)
    else
      test(named, () => {
        throw new Error(
          `${lacking.join(" and ")} must work where CI is set: install it (agents: npm run agents:install), or allow it to trace processes`
        )
      })
  }
}
