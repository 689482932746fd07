import { Effect, Option } from "effect"
import { CANDIDATE_KINDS } from "../operate/CandidateKinds.ts"
import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { write } from "./Output.ts"
import { visible } from "./Width.ts"

/** A word for a shell: one line each, which a tab ends where something is told of it. */
const plain = (text: string): string => visible(text.replaceAll(/[\t\r\n]+/g, " "))

export const complete = command({
  name: "complete",
  group: "Work",
  summary: "ids and names that exist now, for a shell's completions",
  description:
    "A line each: the word, a tab, what it is; at most 50, the newest first. Where there is no configuration or no store it answers nothing, and makes neither.",
  example: "agent-runtime complete open-tasks",
  hidden: true,
  arguments: [{ name: "kind", required: true, values: CANDIDATE_KINDS, description: "Of what." }],
  options: [],
  run: ({ kind }) =>
    Effect.gen(function* () {
      const found = yield* ask(async () => (await import("../operate/Candidates.ts")).candidates, { kind })
      yield* write(found.candidates.map((one) => `${plain(one.value)}\t${plain(one.about)}\n`).join(""))
      return undefined
    }),
  // Whoever presses a key wants no errors.
  instead: () => Option.some(Effect.succeed(undefined))
})
