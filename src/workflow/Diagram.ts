import type { Template } from "../domain/WorkflowTemplate.ts"
import { isEnd } from "./Machine.ts"

// Mermaid takes letters, digits and underscores as a state's name; what people read is its description.
const idOf = (state: string): string => state.replace(/[^A-Za-z0-9_]/g, "_")

const label = (text: string): string => text.replace(/[\n:;"#]/g, " ")

/** A template as a Mermaid state diagram (stateDiagram-v2), its transitions named by their signals. */
export const mermaid = (template: Template): string => {
  const states = Object.entries(template.states)
  const lines = [
    "stateDiagram-v2",
    ...states
      .filter(([name]) => idOf(name) !== name)
      .map(([name]) => `  state "${label(name)}" as ${idOf(name)}`),
    `  [*] --> ${idOf(template.initial_state)}`,
    ...states.flatMap(([name, { complete_on, on }]) => [
      ...Object.entries(on ?? {}).map(([signal, to]) => `  ${idOf(name)} --> ${idOf(to)}: ${label(signal)}`),
      ...((complete_on ?? []).length > 0 || isEnd(template.states[name]) ? [`  ${idOf(name)} --> [*]`] : [])
    ])
  ]
  return `${lines.join("\n")}\n`
}
