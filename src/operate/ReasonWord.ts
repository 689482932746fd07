import { Option } from "effect"

/**
 * The word that an attempt's reason begins with, in brackets behind a space; empty where there is none. What follows it
 * may name paths of the host, which an error does not (SPEC.md section 15).
 */
export const reasonWord = (reason: Option.Option<string>): string => {
  const word = /^[a-z_]+(?=: )/.exec(Option.getOrElse(reason, () => ""))?.[0]
  return word === undefined ? "" : ` (${word})`
}
