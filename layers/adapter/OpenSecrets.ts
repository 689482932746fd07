import type { ChildSettings } from "../../src/config/AdapterSettings.ts"
import { type Redactor, redactorOf } from "../../src/domain/Redactor.ts"
import type { ChildEnv } from "./ChildEnv.ts"
import { maskedFor } from "./SecretValues.ts"

/**
 * Warnings of secret values in the arguments that an adapter's child is started with, which every user of this host can
 * read while it runs. `redactor` knows what is secret. The value is never told, only where it stands and, for a secret of
 * the child's own environment, the variable that holds it. No more than a warning: an env file's value may be a word
 * like any other, such as a model's name.
 */
export const openSecrets = (
  { extraArgs }: Pick<ChildSettings, "extraArgs">,
  { env, secretNames }: Pick<ChildEnv, "env" | "secretNames">,
  redactor: Redactor
): ReadonlyArray<string> =>
  extraArgs.flatMap((word, index) => {
    if (!redactor.holds(word)) return []
    const name = secretNames.find((one) => redactorOf(maskedFor(env[one] ?? "")).holds(word))
    const secret = name === undefined ? "a secret of this configuration" : `the secret ${name}`
    const variable = name === undefined ? "a variable of its env or envFile" : `its variable ${name}`
    return [
      `extraArgs[${index}] holds the value of ${secret}, which everybody on this host can read while the program runs: let it read ${variable} instead; what is no secret goes into \`env\` as plain text`
    ]
  })
