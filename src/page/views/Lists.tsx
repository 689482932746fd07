import { type Aged, byAge, startedFirst } from "../Ages.ts"
import { cancelAll, retryAll } from "../Moves.ts"
import { Act } from "../parts/Act.tsx"
import { Link } from "../parts/Link.tsx"
import { More, MoreStalled } from "../parts/More.tsx"
import { BlockedRow, DoneRow, QueueRow, StalledRow } from "../parts/Rows.tsx"
import { RunningRow } from "../parts/Running.tsx"
import { Loaded, Nothing } from "../parts/Said.tsx"
import { ViewHead } from "../parts/Section.tsx"
import { Rows } from "../parts/TaskList.tsx"
import { touchesTasks } from "../Records.ts"
import { searchOf, viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { once, usePages } from "../UsePages.ts"
import { useReasons } from "../UseReasons.ts"
import { useStalled } from "../UseStalled.ts"
import type { Task, Workflow } from "../Wire.ts"
import { counted, endedCount, plural, waitingCount } from "../Words.ts"
import { useTitle, useWorld } from "../World.ts"

/** A page of the task list. */
export interface Page {
  readonly tasks: ReadonlyArray<Task>
  readonly next: string | null
  readonly partial?: boolean | undefined
}

export const WAITING = "pending,retryable_failure"
export const ENDED = "completed,permanent_failure,operator_canceled"

/** What so many of the queue wait for is asked for; the others show what the list knows. */
const EXPLAINED = 50

/** The address of those that wait, in the order in which they would be taken: the most that it tells at once. */
export const QUEUE_MOST = 500
export const QUEUE = `/api/queue?limit=${QUEUE_MOST}`

/** The address of those that have ended, those first that ended last. */
export const doneAt = (query: Readonly<Record<string, string | undefined>>): string =>
  `/api/done${searchOf(query)}`

/** The address of those that are blocked, those first that have been so longest. */
export const blockedAt = (query: Readonly<Record<string, string | undefined>>): string =>
  `/api/blocked${searchOf(query)}`

/** The address of a page of tasks. */
export const tasksAt = (query: Readonly<Record<string, string | undefined>>): string =>
  `/api/tasks${searchOf(query)}`

/** What is drawn of a list, each with the moment since when it stands there. */
export type AgedRow = Aged<preact.ComponentChild>

/** The rows of tasks among others, those first that have waited longest. */
export const waitingRows = (
  tasks: ReadonlyArray<Task>,
  row: (task: Task) => preact.ComponentChild,
  others: ReadonlyArray<AgedRow>
): ReadonlyArray<preact.ComponentChild> =>
  byAge([...others, ...tasks.map((task) => ({ at: task.updated_at, row: row(task) }))])

/** A list that grows by a page at a time; what is beyond the first page is as old as its asking. */
export const Paged = ({
  query,
  empty,
  label,
  row,
  sort,
  others,
  at = tasksAt,
  keepsUp = false
}: {
  readonly query: Readonly<Record<string, string | undefined>>
  /** The address of a page by its query. */
  readonly at?: (query: Readonly<Record<string, string | undefined>>) => string
  readonly empty: preact.ComponentChildren
  readonly label: string
  readonly row: (task: Task) => preact.ComponentChild
  readonly sort?: ((a: Task, b: Task) => number) | undefined
  /** What stands among the tasks by its age. */
  readonly others?: ReadonlyArray<AgedRow> | undefined
  /** See usePages. */
  readonly keepsUp?: boolean
}) => {
  const pages = usePages<Page>(
    (after) => at(after === undefined ? query : { ...query, after }),
    touchesTasks,
    keepsUp
  )
  return (
    <div class="list">
      <Loaded of={pages.first}>
        {(page) => {
          const all = pages.all(page)
          const tasks = once(
            all.flatMap((one) => one.tasks),
            ({ task_id }) => task_id
          )
          const last = all.at(-1) ?? page
          if (tasks.length === 0 && last.next === null && (others ?? []).length === 0)
            return <Nothing>{empty}</Nothing>
          return (
            <>
              <Rows label={label}>
                {others === undefined
                  ? (sort === undefined ? tasks : [...tasks].sort(sort)).map((task) => row(task))
                  : waitingRows(tasks, row, others)}
              </Rows>
              {last.partial === true ? (
                <p class="muted">The search read its most rows here. Go on to look further back.</p>
              ) : null}
              <More of={pages} next={last.next} />
            </>
          )
        }}
      </Loaded>
    </div>
  )
}

/** Workflows that stand still as rows among blocked tasks. */
export const stalledRows = (stalled: ReadonlyArray<Workflow>): ReadonlyArray<AgedRow> =>
  stalled.map((workflow) => ({
    at: workflow.updated_at,
    row: <StalledRow key={`workflow ${workflow.id}`} workflow={workflow} />
  }))

/** Blocked tasks that are asked for at once. */
const BLOCKED_PAGE = 100

/** Everything that waits for an operator. */
export const Blocked = () => {
  const world = useWorld()
  const count = useCell(world.state)?.counts.blocked ?? 0
  const stalled = useStalled()
  useTitle("Blocked")
  return (
    <>
      <ViewHead
        name="Blocked"
        lead={
          count + stalled.count === 0
            ? undefined
            : `${[
                ...(stalled.count === 0 ? [] : [plural(stalled.count, "workflow")]),
                ...(count === 0 ? [] : [plural(count, "task")])
              ].join(" and ")} cannot go on without you. Oldest first.`
        }
      >
        {count < 2 ? undefined : (
          <>
            <Act onClick={() => void retryAll(world, { status: ["blocked"] }, "Retry all")}>Retry all</Act>
            <Act onClick={() => void cancelAll(world, { status: ["blocked"] }, "Cancel all")}>Cancel all</Act>
          </>
        )}
      </ViewHead>
      <MoreStalled of={stalled} />
      <Paged
        query={{ limit: String(BLOCKED_PAGE) }}
        at={blockedAt}
        keepsUp
        label="Blocked tasks and workflows"
        others={stalledRows(stalled.workflows)}
        empty="Nothing needs you. A task that cannot go on by itself stands here with its reason."
        row={(task) => <BlockedRow key={task.task_id} task={task} />}
      />
    </>
  )
}

/** Everything that runs. */
export const Now = () => {
  useTitle("Now")
  return (
    <>
      <ViewHead name="Now" />
      <Paged
        query={{ status: "running", limit: "50" }}
        label="Running tasks"
        sort={startedFirst}
        empty="Nothing is running."
        row={(task) => <RunningRow key={task.task_id} task={task} lines={12} />}
      />
    </>
  )
}

/** Everything that waits for its turn. */
export const Queue = () => {
  const world = useWorld()
  const state = useCell(world.state)
  const count = state === undefined ? 0 : waitingCount(state)
  const reasons = useReasons(EXPLAINED)
  useTitle("Queue")
  return (
    <>
      <ViewHead
        name="Queue"
        lead={
          count === 0
            ? undefined
            : `In the order in which they would be taken${
                count > QUEUE_MOST ? `: the first ${counted(QUEUE_MOST)} of ${counted(count)}` : ""
              }.`
        }
      />
      <Paged
        query={{}}
        at={() => QUEUE}
        label="Waiting tasks"
        empty={
          <>
            The queue is empty. <Link href="/">Queue a task</Link>, or see what the{" "}
            <Link href={viewHref("schedules")}>schedules</Link> will bring.
          </>
        }
        row={(task) => <QueueRow key={task.task_id} task={task} why={reasons.get(task.task_id)} />}
      />
    </>
  )
}

/** Everything that has ended. */
export const Done = () => {
  const state = useCell(useWorld().state)
  useTitle("Done")
  return (
    <>
      <ViewHead
        name="Done"
        lead={
          state === undefined
            ? undefined
            : `${plural(endedCount(state), "task")} ended. Those that ended last come first.`
        }
      />
      <Paged
        query={{ limit: "100" }}
        at={doneAt}
        label="Ended tasks"
        empty="Nothing has ended yet."
        row={(task) => <DoneRow key={task.task_id} task={task} />}
      />
    </>
  )
}
