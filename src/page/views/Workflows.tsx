import { useState } from "preact/hooks"
import { Machine } from "../parts/Machine.tsx"
import { More, MoreStalled } from "../parts/More.tsx"
import { useTemplates } from "../parts/OfWorkflow.tsx"
import { Loaded, Nothing } from "../parts/Said.tsx"
import { Section, ViewHead } from "../parts/Section.tsx"
import { WorkflowRow } from "../parts/WorkflowRow.tsx"
import { searchOf } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useGrowing } from "../UseGrowing.ts"
import { once, usePages } from "../UsePages.ts"
import { touchesWorkflows, useStalled } from "../UseStalled.ts"
import type { Workflow } from "../Wire.ts"
import type { WorkflowPage } from "../WirePages.ts"
import type { Template } from "../WireTemplates.ts"
import { useTitle, useWorld } from "../World.ts"

const lastMovedFirst = (a: Workflow, b: Workflow): number => (a.updated_at < b.updated_at ? 1 : -1)

/** So many are drawn at once, each with its picture. */
const ROWS = 40

const List = ({
  templates,
  workflows
}: {
  readonly workflows: ReadonlyArray<Workflow>
  readonly templates: ReadonlyArray<Template>
}) => {
  const sought = useCell(useWorld().sought)
  const at = sought?.at === "workflow" ? workflows.findIndex(({ id }) => String(id) === sought.id) : -1
  const { end, shown } = useGrowing(workflows.length, ROWS, at)
  return (
    <>
      <ul class="workflows">
        {workflows.slice(0, shown).map((workflow) => (
          <WorkflowRow
            key={workflow.id}
            workflow={workflow}
            template={templates.find(({ name }) => name === workflow.template)}
          />
        ))}
      </ul>
      <div ref={end} />
    </>
  )
}

/** All workflows, the stalled ones first. */
export const Workflows = () => {
  useTitle("Workflows")
  const [all, setAll] = useState(false)
  const stalled = useStalled()
  const pages = usePages<WorkflowPage>(
    (after) =>
      `/api/workflows${searchOf({ status: all ? "active,completed" : "active", limit: "200", after })}`,
    touchesWorkflows
  )
  const templates = useTemplates()
  return (
    <>
      <ViewHead name="Workflows" lead="Stalled ones first. The filled state is the present one.">
        <label class="switch">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
          Completed ones as well
        </label>
      </ViewHead>
      <MoreStalled of={stalled} />
      <Loaded of={pages.first}>
        {(page) => {
          const told = pages.all(page)
          const others = told.flatMap(({ workflows }) => workflows)
          // One that stalls or goes on meanwhile is told by both for a moment.
          const workflows = once([...stalled.workflows, ...others.toSorted(lastMovedFirst)], ({ id }) => id)
          return workflows.length === 0 ? (
            <Nothing>
              No workflow goes on. <code>agent-runtime workflow-create</code> opens one; sensors may, too.
            </Nothing>
          ) : (
            <>
              <List workflows={workflows} templates={templates} />
              <More of={pages} next={told.at(-1)?.next ?? null} />
            </>
          )
        }}
      </Loaded>
      {templates.length === 0 ? null : (
        <Section name="Templates" count={templates.length}>
          {templates.map((template) => (
            <details key={template.name} class="given">
              <summary>{template.name}</summary>
              <Machine template={template} />
            </details>
          ))}
        </Section>
      )}
    </>
  )
}
