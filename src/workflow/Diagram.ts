import type { Template } from "../domain/WorkflowTemplate.ts"
import { isEnd, stateOf } from "./Machine.ts"

// Mermaid takes letters, digits and underscores as a state's name; what people read is its description.
const PLAIN = /^[A-Za-z][A-Za-z0-9_]*$/
const RESERVED = /^(state|end|note|direction|class|classDef|style|click|as|default|hide|scale)$/i

const label = (text: string): string => text.replace(/[\n:;"#%]/g, " ")

/** A template as a Mermaid state diagram (stateDiagram-v2), its transitions named by their signals. */
export const mermaid = (template: Template): string => {
  const states = Object.entries(template.states)
  const names = states.map(([name]) => name)
  const idOf = (name: string): string =>
    PLAIN.test(name) && !RESERVED.test(name)
      ? name
      : `s${names.indexOf(name)}_${name.replace(/[^A-Za-z0-9_]/g, "_")}`
  const lines = [
    "stateDiagram-v2",
    ...states
      .filter(([name]) => idOf(name) !== name)
      .map(([name]) => `  state "${label(name)}" as ${idOf(name)}`),
    `  [*] --> ${idOf(template.initial_state)}`,
    ...states.flatMap(([name, { complete_on, on }]) => [
      ...Object.entries(on ?? {}).map(([signal, to]) => `  ${idOf(name)} --> ${idOf(to)}: ${label(signal)}`),
      ...((complete_on ?? []).length > 0 || isEnd(stateOf(template, name)) ? [`  ${idOf(name)} --> [*]`] : [])
    ])
  ]
  return `${lines.join("\n")}\n`
}
