import { useState } from "preact/hooks"
import { problem } from "../Api.ts"
import { Act } from "../parts/Act.tsx"
import { Link } from "../parts/Link.tsx"
import { Machine } from "../parts/Machine.tsx"
import { Mark } from "../parts/Mark.tsx"
import { Ago, At, Elapsed } from "../parts/Moments.tsx"
import { Pre } from "../parts/Pre.tsx"
import { Fact, Loaded, Nothing } from "../parts/Said.tsx"
import { Section, ViewHead } from "../parts/Section.tsx"
import { TaskLink } from "../parts/TaskLink.tsx"
import type { Touches } from "../Records.ts"
import { taskHref, workflowHref } from "../Route.ts"
import { useRecord } from "../UseRecord.ts"
import type { RunEvent, Template, Workflow } from "../Wire.ts"
import { detailLine, duration, plainReason, plainWords, plural, type Tone } from "../Words.ts"
import { failed, useTitle, useWorld, type World } from "../World.ts"

const touches: Touches = ({ event_type }) => event_type.includes("workflow") || event_type === "task_finished"

const TONES: Readonly<Record<Workflow["status"], Tone>> = {
  active: "running",
  stalled: "blocked",
  completed: "completed"
}

const WorkflowMark = ({ workflow }: { readonly workflow: Workflow }) => (
  <Mark tone={TONES[workflow.status]} word={workflow.status} />
)

const useTemplates = () =>
  useRecord<{ readonly templates: ReadonlyArray<Template> }>("/api/workflows/templates").data?.templates ?? []

const stalledFirst = (a: Workflow, b: Workflow): number =>
  Number(b.status === "stalled") - Number(a.status === "stalled") || (a.updated_at < b.updated_at ? 1 : -1)

const Row = ({
  template,
  workflow
}: {
  readonly workflow: Workflow
  readonly template: Template | undefined
}) => (
  <li class="workflow">
    <div class="workflow-head">
      <WorkflowMark workflow={workflow} />
      <Link href={workflowHref(workflow.id)} class="subject" row="">
        {workflow.instance_key}
      </Link>
      <span class="muted">
        {workflow.template} · in {workflow.current_state} · <Ago at={workflow.updated_at} />
      </span>
    </div>
    {workflow.stalled_reason === null ? null : (
      <p class="line tone-blocked">{plainReason(workflow.stalled_reason)}</p>
    )}
    {template === undefined || workflow.status === "completed" ? null : (
      <Machine template={template} current={workflow.current_state} status={workflow.status} />
    )}
  </li>
)

/** All workflows, the stalled ones first. */
export const Workflows = () => {
  useTitle("Workflows")
  const [all, setAll] = useState(false)
  const found = useRecord<{ readonly workflows: ReadonlyArray<Workflow> }>(
    `/api/workflows${all ? "?all=1" : ""}`,
    touches
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
      <Loaded of={found}>
        {({ workflows }) =>
          workflows.length === 0 ? (
            <Nothing>
              No workflow goes on. <code>agent-runtime workflow-create</code> opens one; sensors may, too.
            </Nothing>
          ) : (
            <ul class="workflows">
              {[...workflows].sort(stalledFirst).map((workflow) => (
                <Row
                  key={workflow.id}
                  workflow={workflow}
                  template={templates.find(({ name }) => name === workflow.template)}
                />
              ))}
            </ul>
          )
        }
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

interface Told extends Workflow {
  readonly unfinished_task: string | null
  readonly history: ReadonlyArray<RunEvent>
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

/** A way that a workflow went: when, on what, and how long it had been where it came from. */
export interface Way {
  readonly id: number
  readonly at: string
  readonly from: string
  readonly to: string
  readonly signal: string
  readonly stayedMs: number
  readonly taskId: string | null
}

/** The ways that a workflow has gone, oldest first, from its history. */
export const waysIn = (history: ReadonlyArray<RunEvent>, created: string): ReadonlyArray<Way> => {
  let entered = Date.parse(created)
  return history
    .filter(({ event_type }) => event_type === "workflow_transitioned" || event_type === "workflow_completed")
    .map(({ created_at, detail, id, task_id }) => {
      const stayedMs = Math.max(0, Date.parse(created_at) - entered)
      entered = Date.parse(created_at)
      return {
        id,
        at: created_at,
        from: text(detail.from),
        to: text(detail.to),
        signal: text(detail.signal),
        stayedMs,
        taskId: task_id
      }
    })
}

const askTransition = (world: World, workflow: Workflow, to: string): void =>
  world.ask.set({
    verb: `Go to ${to}`,
    heading: `Move 1 workflow to ${to}?`,
    body: [
      `“${workflow.instance_key}” leaves ${workflow.current_state}. The unfinished task of that state is canceled.`
    ],
    danger: false,
    run: async () => {
      try {
        await world.api.post(`/api/workflows/${workflow.id}/transition`, { state: to })
        world.notice.set({ tone: "done", text: `“${workflow.instance_key}” is in ${to}.` })
      } catch (error) {
        failed(world, problem(error))
      }
    }
  })

const Ways = ({ ways }: { readonly ways: ReadonlyArray<Way> }) => (
  <ol class="event-lines">
    {ways.map(({ at, from, id, signal, stayedMs, taskId, to }) => (
      <li key={id}>
        <At at={at} />
        <span class="words">
          {from === to || to === "" ? `ended in ${from}` : `${from} → ${to}`}
          {signal === "" ? "" : ` on ${signal}`}
        </span>
        <span class="muted detail">
          after {duration(stayedMs)} in {from}
          {taskId === null ? null : (
            <>
              {" · "}
              <Link href={taskHref(taskId)}>{`task ${taskId.slice(0, 13)}`}</Link>
            </>
          )}
        </span>
      </li>
    ))}
  </ol>
)

const History = ({ history }: { readonly history: ReadonlyArray<RunEvent> }) => (
  <ol class="event-lines">
    {history.map((event) => (
      <li key={event.id}>
        <At at={event.created_at} />
        <span class="words">
          {event.event_type === "workflow_transitioned"
            ? `${text(event.detail.from)} → ${text(event.detail.to)}`
            : plainWords(event.event_type)}
        </span>
        <span class="muted detail">
          {event.task_id === null ? null : (
            <Link href={taskHref(event.task_id)}>{`task ${event.task_id.slice(0, 13)}`}</Link>
          )}{" "}
          {detailLine(event.detail)}
        </span>
      </li>
    ))}
  </ol>
)

/** One workflow: its machine with the ways that it went, and its history. */
export const WorkflowView = ({ id }: { readonly id: string }) => {
  const world = useWorld()
  const found = useRecord<Told>(`/api/workflows/${encodeURIComponent(id)}`, touches)
  const templates = useTemplates()
  useTitle(found.data?.instance_key ?? "Workflow")
  return (
    <Loaded of={found}>
      {(workflow) => {
        const template = templates.find(({ name }) => name === workflow.template)
        const ways = Object.values(template?.states[workflow.current_state]?.on ?? {})
        const gone = waysIn(workflow.history, workflow.created_at)
        return (
          <article class="task">
            <header class="task-head">
              <WorkflowMark workflow={workflow} />
              <h1 tabIndex={-1}>{workflow.instance_key}</h1>
              {workflow.stalled_reason === null ? null : (
                <p class="why tone-blocked">
                  <strong>Stalled: </strong>
                  {plainReason(workflow.stalled_reason)}. Retry its task, or move it on.
                </p>
              )}
              {workflow.status === "completed" || ways.length === 0 ? null : (
                <p class="buttons">
                  {[...new Set(ways)].map((to) => (
                    <Act key={to} onClick={() => askTransition(world, workflow, to)}>
                      Go to {to}
                    </Act>
                  ))}
                </p>
              )}
            </header>
            {template === undefined ? null : (
              <Machine
                template={template}
                current={workflow.current_state}
                status={workflow.status}
                taken={gone}
              />
            )}
            <dl class="facts">
              <Fact name="template">{workflow.template}</Fact>
              <Fact name="state">{workflow.current_state}</Fact>
              <Fact name="age">
                <Elapsed from={workflow.created_at} to={workflow.completed_at} />
              </Fact>
              <Fact name="its task">
                {workflow.unfinished_task === null ? null : <TaskLink id={workflow.unfinished_task} />}
              </Fact>
            </dl>
            {gone.length === 0 ? null : (
              <Section name="Ways taken" count={gone.length}>
                <Ways ways={gone} />
              </Section>
            )}
            <Section name="History" count={plural(workflow.history.length, "event")}>
              <History history={workflow.history} />
            </Section>
            <details class="given">
              <summary>Context</summary>
              <Pre label="Context">{JSON.stringify(workflow.context, null, 2)}</Pre>
            </details>
          </article>
        )
      }}
    </Loaded>
  )
}
