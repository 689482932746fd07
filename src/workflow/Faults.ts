import { OUTCOME_SIGNAL, type State, type Template } from "../domain/WorkflowTemplate.ts"
import { isEnd, reachable } from "./Machine.ts"
import { faults as referenceFaults } from "./References.ts"

/** Something wrong with a template beyond its shape: where, as a path of keys, and what. */
export interface TemplateFault {
  readonly at: ReadonlyArray<string>
  readonly found: string
  readonly expected: string
}

/**
 * What keeps a template from working, all of it: targets and signals that are not there, states that nothing
 * leads to or that nothing leads out of, references that name nothing.
 */
export const templateFaults = (template: Template): ReadonlyArray<TemplateFault> => {
  const names = Object.keys(template.states)
  const known = `one of its states (${names.join(", ")})`
  if (!names.includes(template.initial_state))
    return [{ at: ["initial_state"], found: JSON.stringify(template.initial_state), expected: known }]
  const reached = reachable(template)
  return Object.entries(template.states).flatMap(([name, state]) => {
    const at = ["states", name]
    return [
      ...(reached.includes(name)
        ? []
        : [{ at, found: "a state that nothing leads to", expected: "a way from initial_state to it" }]),
      ...Object.entries(state.on ?? {})
        .filter(([, target]) => !names.includes(target))
        .map(([signal, target]) => ({
          at: [...at, "on", signal],
          found: JSON.stringify(target),
          expected: known
        })),
      ...signalFaults(at, state),
      ...taskFaults(at, state)
    ]
  })
}

const signalFaults = (at: ReadonlyArray<string>, state: State): ReadonlyArray<TemplateFault> =>
  Object.entries(state.advance_on ?? {}).flatMap(([kind, signal]) => {
    const signals = Object.keys(state.on ?? {})
    if (signal === OUTCOME_SIGNAL ? signals.length > 0 : signals.includes(signal)) return []
    const expected =
      signals.length === 0 ? "a signal of `on`, which this state has none of" : signals.join(" or ")
    return [{ at: [...at, "advance_on", kind], found: JSON.stringify(signal), expected }]
  })

const taskFaults = (at: ReadonlyArray<string>, state: State): ReadonlyArray<TemplateFault> => {
  const { advance_on, complete_on, task } = state
  if (task === undefined)
    return isEnd(state) || Object.keys(advance_on ?? {}).length + (complete_on ?? []).length === 0
      ? []
      : [
          {
            at: [...at, "task"],
            found: "no task",
            expected: "the task that advance_on and complete_on wait for"
          }
        ]
  const ends = [...Object.keys(advance_on ?? {}), ...(complete_on ?? [])]
  const never = ends.includes(task.kind)
    ? []
    : [
        {
          at: [...at, "advance_on"],
          found: `nothing for the kind ${JSON.stringify(task.kind)} of its own task`,
          expected: "that kind in advance_on or complete_on"
        }
      ]
  const references = referenceFaults(task).map((reference) => ({
    at: [...at, "task"],
    found: reference,
    expected: "a reference such as {{context.topic}} or {{context.topic | a default}}"
  }))
  return [...never, ...references]
}
