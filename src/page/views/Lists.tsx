import { useState } from "preact/hooks"
import { problem } from "../Api.ts"
import { bulk } from "../Moves.ts"
import { Act } from "../parts/Act.tsx"
import { Link } from "../parts/Link.tsx"
import { BlockedRow, DoneRow, QueueRow } from "../parts/Rows.tsx"
import { RunningRow } from "../parts/Running.tsx"
import { Loaded, Nothing, Wrong } from "../parts/Said.tsx"
import { ViewHead } from "../parts/Section.tsx"
import { Rows } from "../parts/TaskList.tsx"
import { touchesTasks } from "../Records.ts"
import { searchOf, viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useRecord } from "../UseRecord.ts"
import type { Task } from "../Wire.ts"
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

/** What so many of the queue wait for is asked for, each by itself; the others show what the list knows. */
const EXPLAINED = 20

/** The address of a page of tasks. */
export const tasksAt = (query: Readonly<Record<string, string | undefined>>): string =>
  `/api/tasks${searchOf(query)}`

/** In the order in which they would be taken: highest priority, then oldest, then id; what is due first. */
export const byTurn = (a: Task, b: Task, now: number): number => {
  const early = (task: Task) => Math.max(0, Date.parse(task.available_at) - now)
  return (
    early(a) - early(b) ||
    b.priority - a.priority ||
    (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.task_id < b.task_id ? -1 : 1)
  )
}

/** Those that have waited longest first. */
export const oldestFirst = (a: Task, b: Task): number => (a.updated_at < b.updated_at ? -1 : 1)

/** A list that grows by a page at a time; what is beyond the first page is as old as its asking. */
export const Paged = ({
  query,
  empty,
  label,
  row,
  sort
}: {
  readonly query: Readonly<Record<string, string | undefined>>
  readonly empty: preact.ComponentChildren
  readonly label: string
  readonly row: (task: Task, index: number) => preact.ComponentChildren
  readonly sort?: ((a: Task, b: Task) => number) | undefined
}) => {
  const { api } = useWorld()
  const path = tasksAt(query)
  const first = useRecord<Page>(path, touchesTasks)
  const [rest, setRest] = useState<{ readonly of: string; readonly pages: ReadonlyArray<Page> }>({
    of: path,
    pages: []
  })
  const [wrong, setWrong] = useState<string>()
  const pages = rest.of === path ? rest.pages : []
  return (
    <div class="list">
      <Loaded of={first}>
        {(page) => {
          const seen = new Set<string>()
          const tasks = [page, ...pages]
            .flatMap((one) => one.tasks)
            .filter(({ task_id }) => !seen.has(task_id) && seen.add(task_id))
          const last = pages.at(-1) ?? page
          const more = async () => {
            try {
              setWrong(undefined)
              const next = await api.get<Page>(tasksAt({ ...query, after: last.next ?? "" }))
              setRest({ of: path, pages: [...pages, next] })
            } catch (error) {
              setWrong(problem(error).message)
            }
          }
          if (tasks.length === 0 && last.next === null) return <Nothing>{empty}</Nothing>
          return (
            <>
              <Rows label={label}>{(sort === undefined ? tasks : [...tasks].sort(sort)).map(row)}</Rows>
              {last.partial === true ? (
                <p class="muted">The search read its most rows here. Go on to look further back.</p>
              ) : null}
              {wrong === undefined ? null : <Wrong message={wrong} />}
              {last.next === null ? null : (
                <p class="buttons">
                  <button type="button" onClick={() => void more()}>
                    Show more
                  </button>
                </p>
              )}
            </>
          )
        }}
      </Loaded>
    </div>
  )
}

/** Everything that waits for an operator. */
export const Blocked = () => {
  const world = useWorld()
  const count = useCell(world.state)?.counts.blocked ?? 0
  useTitle("Blocked")
  return (
    <>
      <ViewHead
        name="Blocked"
        lead={count === 0 ? undefined : `${plural(count, "task")} cannot go on without you. Oldest first.`}
      >
        {count < 2 ? undefined : (
          <>
            <Act onClick={() => void bulk(world, "retry", { status: ["blocked"] }, "Retry all")}>
              Retry all
            </Act>
            <Act onClick={() => void bulk(world, "cancel", { status: ["blocked"] }, "Cancel all")}>
              Cancel all
            </Act>
          </>
        )}
      </ViewHead>
      <Paged
        query={{ status: "blocked", limit: "100" }}
        label="Blocked tasks"
        sort={oldestFirst}
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
  useTitle("Queue")
  const now = world.now.get()
  return (
    <>
      <ViewHead
        name="Queue"
        lead={
          count > 200
            ? `${counted(count)} tasks wait. The newest are shown first; the next to run may be further down.`
            : count > 0
              ? "In the order in which they will be taken."
              : undefined
        }
      />
      <Paged
        query={{ status: WAITING, limit: "200" }}
        label="Waiting tasks"
        sort={count > 200 ? undefined : (a, b) => byTurn(a, b, now)}
        empty={
          <>
            The queue is empty. <Link href="/">Queue a task</Link>, or see what the{" "}
            <Link href={viewHref("schedules")}>schedules</Link> will bring.
          </>
        }
        row={(task, index) => <QueueRow key={task.task_id} task={task} why={index < EXPLAINED} />}
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
        lead={state === undefined ? undefined : `${plural(endedCount(state), "task")} ended. Newest first.`}
      />
      <Paged
        query={{ status: ENDED, limit: "100" }}
        label="Ended tasks"
        empty="Nothing has ended yet."
        row={(task) => <DoneRow key={task.task_id} task={task} />}
      />
    </>
  )
}
