import { problem } from "../Api.ts"
import { failed } from "../Means.ts"
import { canRetry, retry } from "../Moves.ts"
import { Act } from "../parts/Act.tsx"
import { Machine } from "../parts/Machine.tsx"
import { Glyph } from "../parts/Mark.tsx"
import { At, Elapsed } from "../parts/Moments.tsx"
import { OfTask, type Told, toldAt, useTemplates, Waits, Ways, WorkflowMark } from "../parts/OfWorkflow.tsx"
import { Pre } from "../parts/Pre.tsx"
import { Fact, Loaded, Nothing } from "../parts/Said.tsx"
import { Section } from "../parts/Section.tsx"
import { TaskLink } from "../parts/TaskLink.tsx"
import { type Happening, happenings, lostWords, waysIn } from "../task/WorkflowStory.ts"
import { useRecord } from "../UseRecord.ts"
import { touchesWorkflows } from "../UseStalled.ts"
import type { Story, Workflow } from "../Wire.ts"
import { plainReason, quoted, sentence } from "../Words.ts"
import { useTitle, useWorld, type World } from "../World.ts"

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
  const found = useRecord<Told>(toldAt(id), touchesWorkflows)
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
                whole
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
