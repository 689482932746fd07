import { Option } from "effect"
import type { ChildSettings } from "../../src/config/AdapterSettings.ts"
import { type Redactor, redactorOf } from "../../src/domain/Redactor.ts"
import { CannotStart } from "./CannotStart.ts"
import type { ChildEnv } from "./ChildEnv.ts"
import { maskedFor } from "./SecretValues.ts"

/**
 * A secret value in the words that an adapter's child is started with, which every user of this host can read while it
 * runs; none where there is none. `redactor` knows what is secret. The value is never told, only where it stands and,
 * for a secret of the child's own environment, the variable that holds it.
 */
export const openSecret = (
  { command, extraArgs, id }: Pick<ChildSettings, "command" | "extraArgs" | "id">,
  { env, secretNames }: Pick<ChildEnv, "env" | "secretNames">,
  redactor: Redactor
): Option.Option<CannotStart> => {
  const words = [
    { place: "command", word: command.path },
    ...extraArgs.map((word, index) => ({ place: `extraArgs[${index}]`, word }))
  ]
  const found = words.find(({ word }) => redactor.holds(word))
  if (found === undefined) return Option.none()
  const name = secretNames.find((one) => redactorOf(maskedFor(env[one] ?? "")).holds(found.word))
  const secret = name === undefined ? "a secret of this configuration" : `the secret ${name}`
  const variable = name === undefined ? "by a variable of its env or envFile" : `by its variable ${name}`
  return Option.some(
    new CannotStart({
      reason: `${found.place} of adapter ${id} holds the value of ${secret}, which everybody on this host could read among its child's arguments; expected is no secret value there`,
      remedy: `take it out and let the program read it ${variable}; what is no secret goes into \`env\` as plain text, not into an envFile`
    })
  )
}
