import { Option, Schema } from "effect"
import { type Step, StepMark } from "../domain/Step.ts"
import { onFirstUse } from "../domain/Wire.ts"

/** Letters of steps that are held at once: an agent can write what it likes into its own evidence. */
const MOST_LETTERS = 8 * 1024 * 1024
/** What a step costs beside its words. */
const OWN_LETTERS = 100

/** Puts marks together to steps, a line of `steps.jsonl` at a time, in bounded memory. */
export interface StepFold {
  /** Takes a line (none: one that was too long to be read); answers the steps that are done with by it. */
  readonly line: (text: Option.Option<string>) => ReadonlyArray<Step>
  /** The steps that are held, in the order in which they began; `ok` is none for those without an end. */
  readonly held: () => ReadonlyArray<Step>
  /** Lines that are no marks, or marks of nothing that had begun. */
  readonly passedOver: () => number
  /** Steps that were given up because later ones needed their room. */
  readonly leftOut: () => number
}

interface Held {
  readonly id: string
  readonly step: Step
}

const readMark = onFirstUse(() => Schema.decodeUnknownOption(Schema.parseJson(StepMark)))

const lettersOf = ({ id, step }: Held): number =>
  OWN_LETTERS + id.length + step.tool.length + step.target.length

/**
 * With `keep` the newest steps stay held, as far as there is room. Without, a step is answered by the line that
 * ends it and forgotten, and so is one that is given up before its end.
 */
export const makeStepFold = ({ keep }: { readonly keep: boolean }): StepFold => {
  // By the number of the line that began a step: in the order of beginning, and ids may be used again.
  const steps = new Map<number, Held>()
  const open = new Map<string, number>()
  let letters = 0
  let lines = 0
  let passedOver = 0
  let leftOut = 0
  const put = (at: number, held: Held): void => {
    const before = steps.get(at)
    letters += lettersOf(held) - (before === undefined ? 0 : lettersOf(before))
    steps.set(at, held)
  }
  const drop = (at: number): ReadonlyArray<Step> => {
    const held = steps.get(at)
    if (held === undefined) return []
    letters -= lettersOf(held)
    steps.delete(at)
    if (open.get(held.id) === at) open.delete(held.id)
    return [held.step]
  }
  const makeRoom = (): ReadonlyArray<Step> => {
    const given: Array<Step> = []
    for (const at of steps.keys()) {
      if (letters <= MOST_LETTERS) break
      given.push(...drop(at))
    }
    if (!keep) return given
    leftOut += given.length
    return []
  }
  const take = (mark: StepMark): ReadonlyArray<Step> => {
    const at = open.get(mark.id) ?? lines
    const before = steps.get(at)?.step
    const tool = mark.tool ?? before?.tool
    if (tool === undefined) {
      passedOver++
      return []
    }
    const ok = Option.fromNullable(mark.ok)
    const target = mark.target ?? before?.target ?? ""
    put(at, { id: mark.id, step: { at: before?.at ?? mark.at, tool, target, ok } })
    if (Option.isNone(ok)) open.set(mark.id, at)
    else open.delete(mark.id)
    const done = Option.isSome(ok) && !keep ? drop(at) : []
    return [...done, ...makeRoom()]
  }
  return {
    line: (text) => {
      lines++
      if (Option.contains(text, "")) return []
      const mark = Option.flatMap(text, (one) => readMark()(one))
      if (Option.isSome(mark)) return take(mark.value)
      passedOver++
      return []
    },
    held: () => [...steps.values()].map(({ step }) => step),
    passedOver: () => passedOver,
    leftOut: () => leftOut
  }
}
