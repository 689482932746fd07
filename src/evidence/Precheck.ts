import { Effect, Option } from "effect"
import { ArtifactStore } from "../artifact/ArtifactStore.ts"
import { type Assignment, type DeclaredArtifact, declared, type Phase } from "../artifact/Declared.ts"
import { namesFolder } from "../artifact/FilePath.ts"
import { quoted } from "../domain/Abridged.ts"
import { isBlank } from "../domain/Blank.ts"
import { traced } from "../domain/Traced.ts"

/** A heading stands near the top, if anywhere. */
const MOST_BYTES = 64 * 1024

/**
 * Checks what a task needs before its adapter starts: the artifacts of earlier phases exist, are not empty and
 * are what they are declared to be. Answers what is wrong, each as `name: sentence`; never fails.
 */
export const precheck = traced("Evidence.precheck")(function* (task: Assignment) {
  const { inputs, problems } = declared(task)
  const found = yield* Effect.forEach(inputs, check)
  return [...problems.map((problem) => `artifact_undeclared: ${problem}.`), ...found.flat()]
})

/**
 * Issues, each `name: sentence`, as the one text that stands behind `reason: `. A name stands once, before all that is
 * said by it, and not again where the reason says it already.
 */
export const behind = (reason: string, issues: ReadonlyArray<string>): string => {
  const said = new Map<string, Array<string>>([[reason, []]])
  for (const issue of issues) {
    const end = issue.indexOf(": ")
    const name = issue.slice(0, end)
    said.set(name, [...(said.get(name) ?? []), issue.slice(end + 2)])
  }
  return [...said]
    .filter(([, sentences]) => sentences.length > 0)
    .map(([name, sentences]) => `${name === reason ? "" : `${name}: `}${sentences.join(" ")}`)
    .join(" ")
}

const check = Effect.fnUntraced(function* (input: DeclaredArtifact) {
  const store = yield* ArtifactStore
  const name = `the input artifact ${JSON.stringify(input.path)} (${input.key})`
  return yield* Effect.gen(function* () {
    const observed = yield* store.observe(input.path)
    if (Option.isNone(observed)) return [`input_missing: ${name} does not exist below the artifact root.`]
    const text = yield* store.read(input.path, MOST_BYTES)
    if (Option.isNone(text) || namesFolder(input.path))
      return [`input_not_a_file: ${name} is no regular file.`]
    if (isBlank(text.value) && observed.value.size <= MOST_BYTES) return [`input_empty: ${name} is empty.`]
    return wrongKind(name, input, text.value)
  }).pipe(
    Effect.catchTags({
      PathRefused: ({ why }) => Effect.succeed([`input_refused: ${name} ${why}.`]),
      ArtifactFailed: ({ reason }) =>
        Effect.succeed([`input_unreadable: ${name} cannot be read (${reason}).`])
    })
  )
})

const HEADINGS: ReadonlyArray<readonly [Phase, RegExp]> = [
  ["plan", /^plan/i],
  ["execute", /^execut/i],
  ["verify", /^verif/i]
]

const wrongKind = (name: string, input: DeclaredArtifact, text: string): ReadonlyArray<string> => {
  const heading = firstHeading(text)
  const kind = Option.flatMapNullable(
    heading,
    (words) => HEADINGS.find(([, start]) => start.test(words))?.[0]
  )
  const expected: Phase = input.role === "proposal" ? "plan" : "execute"
  return Option.isNone(kind) || Option.isNone(heading) || kind.value === expected
    ? []
    : [
        `input_of_wrong_kind: ${name} begins with the heading ${quoted(heading.value, 80)}, which is that of another phase; expected the artifact of the phase "${expected}".`
      ]
}

/** The words of a Markdown text's first heading, outside of fenced blocks and without emphasis. */
export const firstHeading = (text: string): Option.Option<string> => {
  let fence: string | undefined
  let previous = ""
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined
    } else if (mark !== undefined) fence = mark
    else {
      const words = /^ {0,3}#{1,6}[ \t]+(.*)$/.exec(line)?.[1]
      if (words !== undefined) return Option.some(plain(words))
      if (/^ {0,3}=+[ \t]*$/.test(line) && previous.trim() !== "") return Option.some(plain(previous))
    }
    previous = line
  }
  return Option.none()
}

const plain = (heading: string): string => heading.replace(/[*_`#]+/g, "").trim()
