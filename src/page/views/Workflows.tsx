import { useState } from "preact/hooks"
import { problem } from "../Api.ts"
import { failed } from "../Means.ts"
import { canRetry, retry } from "../Moves.ts"
import { Act } from "../parts/Act.tsx"
import { Link } from "../parts/Link.tsx"
import { Machine } from "../parts/Machine.tsx"
import { Glyph, Mark } from "../parts/Mark.tsx"
import { Ago, At, Elapsed } from "../parts/Moments.tsx"
import { More } from "../parts/More.tsx"
import { Pre } from "../parts/Pre.tsx"
import { Fact, Loaded, Nothing } from "../parts/Said.tsx"
import { Section, ViewHead } from "../parts/Section.tsx"
import { TaskLink } from "../parts/TaskLink.tsx"
import { searchOf, taskHref, workflowHref } from "../Route.ts"
import { type Happening, happenings, lostWords, type Way, waysIn } from "../task/WorkflowStory.ts"
import { once, usePages } from "../UsePages.ts"
import { useRecord } from "../UseRecord.ts"
import { touchesWorkflows, useStalled } from "../UseStalled.ts"
import type { RunEvent, Story, Template, Workflow } from "../Wire.ts"
import type { WorkflowPage } from "../WirePages.ts"
import { duration, plainReason, quoted, sentence, type Tone } from "../Words.ts"
import { useTitle, useWorld, type World } from "../World.ts"

const TONES: Readonly<Record<Workflow["status"], Tone>> = {
  active: "running",
  stalled: "blocked",
  completed: "completed"
}

const WorkflowMark = ({ workflow }: { readonly workflow: Workflow }) => (
  <Mark tone={TONES[workflow.status]} word={workflow.status} />
)

/** The task that holds the key of its own one, where one does. */
const Waits = ({ workflow: { waits_for } }: { readonly workflow: Workflow }) =>
  waits_for === null ? null : (
    <p class="line">
      Its task is made once <TaskLink id={waits_for.task_id} /> has ended, which holds the key{" "}
      {quoted(waits_for.dedupe_key)}.
    </p>
  )

const useTemplates = () =>
  useRecord<{ readonly templates: ReadonlyArray<Template> }>("/api/workflows/templates").data?.templates ?? []

const lastMovedFirst = (a: Workflow, b: Workflow): number => (a.updated_at < b.updated_at ? 1 : -1)

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
      <p class="line tone-blocked">
        {sentence(plainReason(workflow.stalled_reason))}{" "}
        <Link href={workflowHref(workflow.id)} class="button">
          Move it on
        </Link>
      </p>
    )}
    <Waits workflow={workflow} />
    {template === undefined || workflow.status === "completed" ? null : (
      <Machine template={template} current={workflow.current_state} status={workflow.status} />
    )}
  </li>
)

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
      <Loaded of={pages.first}>
        {(page) => {
          const told = pages.all(page)
          const others = told.flatMap(({ workflows }) => workflows)
          // One that stalls or goes on meanwhile is told by both for a moment.
          const workflows = once([...stalled, ...others.toSorted(lastMovedFirst)], ({ id }) => id)
          return workflows.length === 0 ? (
            <Nothing>
              No workflow goes on. <code>agent-runtime workflow-create</code> opens one; sensors may, too.
            </Nothing>
          ) : (
            <>
              <ul class="workflows">
                {workflows.map((workflow) => (
                  <Row
                    key={workflow.id}
                    workflow={workflow}
                    template={templates.find(({ name }) => name === workflow.template)}
                  />
                ))}
              </ul>
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

interface Told extends Workflow {
  readonly unfinished_task: string | null
  readonly history: ReadonlyArray<RunEvent>
}

const askTransition = (world: World, workflow: Workflow, unfinished: string | null, to: string): void =>
  world.ask.set({
    verb: `Go to ${to}`,
    heading: `Move 1 workflow to ${to}?`,
    body: [
      `${quoted(workflow.instance_key)} leaves ${workflow.current_state}.${
        unfinished === null ? "" : " The unfinished task of that state is canceled."
      }`
    ],
    danger: false,
    run: async () => {
      try {
        await world.api.post(`/api/workflows/${workflow.id}/transition`, { state: to })
        world.notice.set({ tone: "done", text: `${quoted(workflow.instance_key)} is in ${to}.` })
      } catch (error) {
        failed(world, problem(error))
      }
    }
  })

/** The task by which it happened, where there was one. */
const OfTask = ({ id }: { readonly id: string | null }) =>
  id === null ? null : (
    <>
      {" · "}
      <Link href={taskHref(id)}>{`task ${id.slice(0, 13)}`}</Link>
    </>
  )

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
          <OfTask id={taskId} />
        </span>
      </li>
    ))}
  </ol>
)

const History = ({ history }: { readonly history: ReadonlyArray<Happening> }) => (
  <ol class="timeline" aria-label="History">
    {history.map(({ at, id, taskId, tone, words }) => (
      <li key={id}>
        <Glyph tone={tone} />
        <At at={at} />
        <span class="words">
          {words}
          <OfTask id={taskId} />
        </span>
      </li>
    ))}
  </ol>
)

/** Retries the task by which a workflow stands still. */
const RetryIt = ({ id }: { readonly id: string }) => {
  const world = useWorld()
  const task = useRecord<Story>(`/api/tasks/${encodeURIComponent(id)}`, ({ task_id }) => task_id === id).data
    ?.task
  return task === undefined || !canRetry(task) ? null : (
    <Act onClick={() => void retry(world, task)}>Retry its task</Act>
  )
}

/** One workflow: its machine with the ways that it went, and its history. */
export const WorkflowView = ({ id }: { readonly id: string }) => {
  const world = useWorld()
  const found = useRecord<Told>(`/api/workflows/${encodeURIComponent(id)}`, touchesWorkflows)
  const templates = useTemplates()
  useTitle(found.data?.instance_key ?? "Workflow")
  return (
    <Loaded of={found}>
      {(workflow) => {
        const template = templates.find(({ name }) => name === workflow.template)
        const ways = Object.values(template?.states[workflow.current_state]?.on ?? {})
        const gone = waysIn(workflow.history, workflow.created_at)
        const lastTask =
          workflow.unfinished_task ??
          workflow.history.findLast(({ task_id }) => task_id !== null)?.task_id ??
          undefined
        const told = happenings(workflow.history)
        const lost = lostWords(workflow.history)
        return (
          <article class="task">
            <header class="task-head">
              <WorkflowMark workflow={workflow} />
              <h1 tabIndex={-1}>{workflow.instance_key}</h1>
              {workflow.stalled_reason === null ? null : (
                <p class="why tone-blocked">
                  <strong>Stalled: </strong>
                  {sentence(plainReason(workflow.stalled_reason))} Retry its task, or move it on.
                </p>
              )}
              <Waits workflow={workflow} />
              {workflow.status === "completed" || ways.length === 0 ? null : (
                <p class="buttons">
                  {workflow.status === "stalled" && lastTask !== undefined ? <RetryIt id={lastTask} /> : null}
                  {[...new Set(ways)].map((to) => (
                    <Act
                      key={to}
                      onClick={() => askTransition(world, workflow, workflow.unfinished_task, to)}
                    >
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
              <Fact name={workflow.completed_at === null ? "age" : "took"}>
                <Elapsed from={workflow.created_at} to={workflow.completed_at} />
              </Fact>
              <Fact name={workflow.unfinished_task === null ? "its last task" : "its task"}>
                {lastTask === undefined ? null : <TaskLink id={lastTask} />}
              </Fact>
            </dl>
            {gone.length === 0 ? null : (
              <Section name="Transitions" count={gone.length}>
                <Ways ways={gone} />
              </Section>
            )}
            <Section name="History" count={told.length}>
              {lost === undefined ? null : <Nothing>{lost}</Nothing>}
              <History history={told} />
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
