import { useState } from "preact/hooks"
import { canCancel, cancel, canRetry, forceCancel, replay, retry } from "../Moves.ts"
import { Act } from "../parts/Act.tsx"
import { Copy } from "../parts/Copy.tsx"
import { Link } from "../parts/Link.tsx"
import { StatusMark, Untrusted } from "../parts/Mark.tsx"
import { Ago, At } from "../parts/Moments.tsx"
import { Pre } from "../parts/Pre.tsx"
import { usageWords } from "../parts/Rows.tsx"
import { Fact, Loaded, Long } from "../parts/Said.tsx"
import { Section } from "../parts/Section.tsx"
import { TaskLink } from "../parts/TaskLink.tsx"
import { searchOf, taskHref, workflowHref } from "../Route.ts"
import { Answer, Reply } from "../task/Answer.tsx"
import { answeredWords, workedMs } from "../task/Answered.ts"
import { Attempts } from "../task/Attempts.tsx"
import { BundlePanel } from "../task/BundlePanel.tsx"
import { Artifacts, Events, Relative } from "../task/Evidence.tsx"
import { OutputPanel } from "../task/OutputPanel.tsx"
import { chosen } from "../task/Story.ts"
import { Timeline } from "../task/Timeline.tsx"
import { childrenOf, touchesStory } from "../task/Touching.ts"
import { useCell } from "../UseCell.ts"
import { useRecord } from "../UseRecord.ts"
import type { Attempt, Story, Task, Tokens } from "../Wire.ts"
import { actorWords, blockedBecause, duration, plainReason, title, waitingWords } from "../Words.ts"
import { useKnownNow, useTitle, useWorld } from "../World.ts"

/** What all attempts used together; a figure that none of them told stays untold. */
export const sumOf = (attempts: ReadonlyArray<Attempt>): Tokens => {
  const sum = (figure: keyof Tokens): number | null => {
    const told = attempts.flatMap(({ usage }) => usage[figure] ?? [])
    return told.length === 0 ? null : told.reduce((a, b) => a + b, 0)
  }
  return {
    input_tokens: sum("input_tokens"),
    output_tokens: sum("output_tokens"),
    cached_tokens: sum("cached_tokens"),
    cost_usd: sum("cost_usd")
  }
}

/** The reason that stands in a task's head, where one does: it is said there once. */
const aboveOf = ({ task, waiting }: Story): string | undefined => {
  if (task.status === "blocked") return task.outcome?.question ? undefined : blockedBecause(task)
  if (task.status === "completed") return task.outcome?.operator_summary
  return waiting !== null || task.last_error === null ? undefined : plainReason(task.last_error)
}

/** Why it stands where it stands, in a sentence. */
const Why = ({ story }: { readonly story: Story }) => {
  const { task, waiting } = story
  if (task.status === "blocked")
    return (
      <p class="why tone-blocked">
        <strong>{task.outcome?.question ? "It asks: " : "Blocked: "}</strong>
        <Long text={blockedBecause(task)} />
      </p>
    )
  const answered = answeredWords(story)
  if (waiting !== null)
    return (
      <p class="why">
        {answered === undefined ? "" : `${answered} `}
        {waitingWords(waiting)}
        {waiting.until === null ? null : (
          <>
            {" · moves "}
            <Ago at={waiting.until} />
          </>
        )}
      </p>
    )
  if (task.status === "completed" && task.outcome !== null)
    return (
      <p class="why">
        <Long text={task.outcome.operator_summary} />
      </p>
    )
  if (task.status === "running" && answered !== undefined)
    return <p class="why">{answered} A fresh round runs.</p>
  if (task.last_error === null) return null
  return task.status === "running" ? (
    <p class="why muted">
      Last time: <Long text={plainReason(task.last_error)} />
    </p>
  ) : (
    <p class="why tone-failed">
      <Long text={plainReason(task.last_error)} />
    </p>
  )
}

const Moves = ({ story, attempt }: { readonly story: Story; readonly attempt: Attempt | undefined }) => {
  const world = useWorld()
  const { task } = story
  const isRunning = task.status === "running"
  const says = isRunning
    ? "Force cancel stops it and everything it started."
    : canRetry(task)
      ? "Retry begins a fresh round; its history stays."
      : "Cancel keeps it from running; Retry brings it back."
  return (
    <div class="task-moves">
      <p class="buttons">
        <Act disabled={!canRetry(task)} aria-keyshortcuts="r" onClick={() => void retry(world, task)}>
          Retry
        </Act>
        <Act disabled={!canCancel(task)} aria-keyshortcuts="x" onClick={() => cancel(world, task)}>
          Cancel
        </Act>
        {isRunning ? (
          <Act class="danger" onClick={() => forceCancel(world, task)}>
            Force cancel
          </Act>
        ) : null}
        {attempt === undefined || attempt.bundle_id === null || attempt.status === "running" ? null : (
          <Act class="quiet" onClick={() => void replay(world, task, attempt.attempt_id)}>
            Replay attempt {attempt.number}
          </Act>
        )}
        <span class="muted">{says}</span>
      </p>
    </div>
  )
}

/** How long its attempts took together. */
const Worked = ({ story }: { readonly story: Story }) => {
  const now = useKnownNow()
  return <span class="num">{duration(workedMs(story, now))}</span>
}

const Facts = ({ task, story }: { readonly task: Task; readonly story: Story }) => {
  const used = usageWords(sumOf(story.attempts))
  const queuedBy = story.events.find(({ event_type }) => event_type === "task_enqueued")?.actor
  return (
    <dl class="facts">
      <Fact name="kind">{task.kind}</Fact>
      <Fact name="source">{task.source}</Fact>
      <Fact name="queued by">
        {queuedBy === undefined ? null : `${actorWords(queuedBy)} (${queuedBy.surface})`}
      </Fact>
      <Fact name="queued">
        <At at={task.created_at} />
      </Fact>
      <Fact name="worked">{story.attempts.length === 0 ? null : <Worked story={story} />}</Fact>
      <Fact name="used">{used}</Fact>
      <Fact name="priority">{String(task.priority)}</Fact>
      <Fact name="attempts">{`${task.attempt_count} of ${task.max_attempts} this round`}</Fact>
      <Fact name="profile">{task.requested_profile}</Fact>
      <Fact name="adapter">{task.requested_adapter ?? story.attempts.at(-1)?.adapter_id ?? null}</Fact>
      <Fact name="workflow">
        {task.workflow_id === null ? null : (
          <Link href={workflowHref(task.workflow_id)}>workflow {task.workflow_id}</Link>
        )}
      </Fact>
      <Fact name="parent">{task.parent_task_id === null ? null : <TaskLink id={task.parent_task_id} />}</Fact>
      <Fact name="id">
        <code>{task.task_id}</code> <Copy text={task.task_id} what="task id" />
      </Fact>
    </dl>
  )
}

const Given = ({ task }: { readonly task: Task }) => {
  const text = JSON.stringify(task.payload, null, 2)
  const message = typeof task.payload.message === "string" ? task.payload.message : undefined
  return (
    <details class="given" open={message !== undefined && message.length < 2_000}>
      <summary>What it was given {task.untrusted ? <Untrusted /> : null}</summary>
      {task.description === null ? null : <p class="message">{task.description}</p>}
      {message === undefined ? null : <p class="message">{message}</p>}
      {message !== undefined && Object.keys(task.payload).length === 1 ? null : (
        <Pre label="Payload">{text}</Pre>
      )}
    </details>
  )
}

const Told = ({ story, attemptId }: { readonly story: Story; readonly attemptId: string | undefined }) => {
  const world = useWorld()
  const { task } = story
  const attempt = chosen(story, attemptId)
  const above = aboveOf(story)
  const choose = (id: string) =>
    world.go(
      `${taskHref(task.task_id)}${searchOf({ attempt: id === story.attempts.at(-1)?.attempt_id ? "" : id })}`,
      {
        replace: true
      }
    )
  return (
    <article class="task" data-task={task.task_id}>
      <header class="task-head">
        <StatusMark status={task.status} />
        <h1 tabIndex={-1}>{title(task)}</h1>
        {task.untrusted ? <Untrusted /> : null}
        <Why story={story} />
        {task.status === "blocked" && task.outcome?.question ? (
          <Answer task={task} question={task.outcome.question} />
        ) : null}
        <Moves story={story} attempt={attempt} />
      </header>
      <div class="task-body">
        <div class="main-column">
          <Attempts story={story} chosen={attempt} choose={choose} above={above} />
          <OutputPanel attempt={attempt} />
          <BundlePanel attempt={attempt} story={story} />
          <Artifacts artifacts={story.artifacts} />
          <Reply task={task} />
        </div>
        <div class="side-column">
          <Section name="About">
            <Facts task={task} story={story} />
            <Given task={task} />
          </Section>
          <Section name="Timeline">
            <Timeline events={story.events} above={above} relatives={story.children} />
          </Section>
          {story.children.length === 0 ? null : (
            <Section name="Children" count={story.children.length}>
              <ul class="relatives">
                {story.children.map((child) => (
                  <Relative key={child.task_id} task={child} word="child" />
                ))}
              </ul>
            </Section>
          )}
          <Events events={story.events} />
        </div>
      </div>
    </article>
  )
}

/** A task's whole story. */
export const TaskView = ({ id }: { readonly id: string }) => {
  const world = useWorld()
  const route = useCell(world.route)
  const [children] = useState(() => new Set<string>())
  const [touches] = useState(() => touchesStory(id, children))
  const found = useRecord<Story>(`/api/tasks/${encodeURIComponent(id)}`, touches)
  for (const child of childrenOf(found.data)) children.add(child)
  useTitle(found.data === undefined ? "Task" : title(found.data.task))
  return found.error?.status === 404 ? (
    <>
      <h1 tabIndex={-1}>No such task</h1>
      <p class="nothing">
        There is no task <code>{id}</code>. It may have been pruned. <Link href="/ui/tasks">All tasks</Link>{" "}
        are listed with a search.
      </p>
    </>
  ) : (
    <Loaded of={found}>{(story) => <Told story={story} attemptId={route.query.attempt} />}</Loaded>
  )
}
