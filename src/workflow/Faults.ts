import { didYouMean, nearest } from "../config/NearMiss.ts"
import { OUTCOME_SIGNAL, type State, type StateTask, type Template } from "../domain/WorkflowTemplate.ts"
import { isEnd, reachable } from "./Machine.ts"
import { faults as referenceFaults } from "./References.ts"

/** Something wrong with a template beyond its shape: where, as a path of keys, what, and what may mend it. */
export interface TemplateFault {
  readonly at: ReadonlyArray<string>
  readonly found: string
  readonly expected: string
  /** Empty where nothing is known. */
  readonly remedy: string
}

/**
 * What keeps a template from working, all of it: targets and signals that are not there, states that nothing
 * leads to or that nothing leads out of, references that name nothing.
 */
export const templateFaults = (template: Template): ReadonlyArray<TemplateFault> => {
  const names = Object.keys(template.states)
  const known = `one of its states (${names.join(", ")})`
  if (!names.includes(template.initial_state))
    return [misnamed(["initial_state"], template.initial_state, known, names)]
  const reached = new Set(reachable(template))
  const ofStates = Object.entries(template.states).flatMap(([name, state]) => {
    const at = ["states", name]
    return [
      ...(reached.has(name)
        ? []
        : [fault(at, "a state that nothing leads to", "a way from initial_state to it")]),
      ...Object.entries(state.on ?? {})
        .filter(([, target]) => !names.includes(target))
        .map(([signal, target]) => misnamed([...at, "on", signal], target, known, names)),
      ...signalFaults(at, state),
      ...taskFaults(at, state)
    ]
  })
  return [...ofStates, ...countFaults(template)]
}

const fault = (at: ReadonlyArray<string>, found: string, expected: string): TemplateFault => ({
  at,
  found,
  expected,
  remedy: ""
})

const misnamed = (
  at: ReadonlyArray<string>,
  given: string,
  expected: string,
  known: ReadonlyArray<string>
): TemplateFault => {
  const likely = nearest(given, known)
  return {
    at,
    found: JSON.stringify(given),
    expected,
    remedy: likely === undefined ? "" : didYouMean(likely)
  }
}

const signalFaults = (at: ReadonlyArray<string>, state: State): ReadonlyArray<TemplateFault> =>
  Object.entries(state.advance_on ?? {}).flatMap(([kind, signal]) => {
    const signals = Object.keys(state.on ?? {})
    const here = [...at, "advance_on", kind]
    const twice = state.complete_on?.includes(kind)
      ? [fault(here, "a kind that complete_on has as well", "one of the two")]
      : []
    if (signal === OUTCOME_SIGNAL ? signals.length > 0 : signals.includes(signal)) return twice
    const expected =
      signals.length === 0 ? "a signal of `on`, which this state has none of" : signals.join(" or ")
    return [...twice, misnamed(here, signal, expected, [...signals, OUTCOME_SIGNAL])]
  })

const countFaults = ({ counts, states }: Template): ReadonlyArray<TemplateFault> => {
  const signals = Object.values(states).flatMap(({ on }) => Object.keys(on ?? {}))
  return Object.keys(counts ?? {})
    .filter((signal) => !signals.includes(signal))
    .map((signal) => misnamed(["counts", signal], signal, "a signal that some state has in `on`", signals))
}

const taskFaults = (at: ReadonlyArray<string>, state: State): ReadonlyArray<TemplateFault> => {
  const { advance_on, complete_on, task } = state
  const ends = [...Object.keys(advance_on ?? {}), ...(complete_on ?? [])]
  if (task === undefined)
    return isEnd(state) || ends.length === 0
      ? []
      : [fault([...at, "task"], "no task", "the task that advance_on and complete_on wait for")]
  return [
    ...(ends.includes(task.kind)
      ? []
      : [
          {
            ...fault(
              [...at, "advance_on"],
              `nothing for the kind ${JSON.stringify(task.kind)} of its own task`,
              "that kind in advance_on or complete_on"
            ),
            remedy: likelyKind(task, ends)
          }
        ]),
    ...(typeof task.available_at === "string" && task.schedule !== undefined
      ? [fault([...at, "task", "schedule"], "there is an available_at beside it", "one of the two")]
      : []),
    ...(task.kind.includes("{{")
      ? [fault([...at, "task", "kind"], JSON.stringify(task.kind), "a kind without references")]
      : []),
    ...referenceFaults(task).map((reference) =>
      fault(
        [...at, "task"],
        reference,
        "a reference such as {{context.topic}} or {{context.topic | a default}}"
      )
    )
  ]
}

const likelyKind = ({ kind }: StateTask, ends: ReadonlyArray<string>): string => {
  const likely = nearest(kind, ends)
  return likely === undefined ? "" : `the task's kind is \`${kind}\`, there is \`${likely}\``
}
