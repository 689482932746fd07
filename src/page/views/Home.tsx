import { failuresFirst, startedFirst } from "../Ages.ts"
import { Link } from "../parts/Link.tsx"
import { Ago } from "../parts/Moments.tsx"
import { NewTask } from "../parts/NewTask.tsx"
import { BlockedRow, DoneRow, QueueRow } from "../parts/Rows.tsx"
import { RunningRow } from "../parts/Running.tsx"
import { Loaded, Nothing } from "../parts/Said.tsx"
import { Section } from "../parts/Section.tsx"
import { Rows } from "../parts/TaskList.tsx"
import { type Touches, touchesTasks } from "../Records.ts"
import { viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useReasons } from "../UseReasons.ts"
import { useRecord } from "../UseRecord.ts"
import { useStalled } from "../UseStalled.ts"
import type { RunEvent, Task } from "../Wire.ts"
import { counted, waitingCount } from "../Words.ts"
import { useTitle, useWorld } from "../World.ts"
import { type AgedRow, blockedAt, doneAt, type Page, stalledRows, tasksAt, waitingRows } from "./Lists.tsx"

const SHOWN = 10

const List = ({
  path,
  name,
  empty,
  row,
  sort,
  others
}: {
  readonly path: string
  readonly name: string
  readonly empty: preact.ComponentChildren
  readonly row: (task: Task) => preact.ComponentChild
  readonly sort?: (a: Task, b: Task) => number
  /** What stands among the tasks by its age. */
  readonly others?: ReadonlyArray<AgedRow>
}) => {
  const found = useRecord<Page>(path, touchesTasks)
  return (
    <Loaded of={found}>
      {({ tasks }) =>
        tasks.length === 0 && (others ?? []).length === 0 ? (
          <Nothing>{empty}</Nothing>
        ) : (
          <Rows label={name}>
            {(others === undefined
              ? (sort === undefined ? tasks : [...tasks].sort(sort)).map(row)
              : waitingRows(tasks, row, others)
            ).slice(0, SHOWN)}
          </Rows>
        )
      }
    </Loaded>
  )
}

const isBlocking: Touches = ({ detail, event_type }) =>
  event_type === "task_finished" && detail.status === "blocked"

/** That nothing is blocked, and when something last was, as far as the newest part of the history tells. */
const LastBlocked = () => {
  const found = useRecord<{ readonly events: ReadonlyArray<RunEvent> }>("/api/events?limit=1000", isBlocking)
  const last = found.data?.events.findLast(isBlocking)
  return (
    <>
      Nothing needs you.
      {last === undefined ? null : (
        <>
          {" Last blocked: "}
          <Ago at={last.created_at} />
          {"."}
        </>
      )}
    </>
  )
}

/** What ended last, with its tokens and cost; the failures of a day are not hidden among successes. */
const LastDone = () => {
  const { now } = useWorld()
  const found = useRecord<Page>(doneAt({ limit: String(SHOWN) }), touchesTasks)
  const failed = useRecord<Page>(
    tasksAt({ status: "permanent_failure", limit: String(SHOWN) }),
    touchesTasks
  ).data
  return (
    <Loaded of={found}>
      {({ tasks }) => {
        const shown = failuresFirst(failed?.tasks ?? [], tasks, now.get(), SHOWN)
        return shown.tasks.length === 0 ? (
          <Nothing>Nothing has ended yet.</Nothing>
        ) : (
          <>
            {shown.failed === 0 ? null : <p class="muted">What failed in the last 24 hours stands first.</p>}
            <Rows label="Ended tasks">
              {shown.tasks.map((task) => (
                <DoneRow key={task.task_id} task={task} used />
              ))}
            </Rows>
          </>
        )
      }}
    </Loaded>
  )
}

const All = ({ count, view }: { readonly count: number; readonly view: "blocked" | "queue" | "done" }) =>
  count > SHOWN ? <Link href={viewHref(view)}>all {counted(count)}</Link> : null

/** What an operator asks first: is it alive, what needs me, what is it doing. */
export const Home = () => {
  const world = useWorld()
  const state = useCell(world.state)
  const policy = useCell(world.policy)
  const stalled = useStalled()
  const reasons = useReasons(SHOWN)
  const waiting = state === undefined ? 0 : waitingCount(state)
  useTitle("Home")
  return (
    <>
      <h1 class="hidden" tabIndex={-1}>
        {state?.runtime_name ?? "agent-runtime"}
      </h1>
      <div class="home">
        <div class="first">
          <Section
            name="Blocked"
            count={state === undefined ? undefined : counted(state.counts.blocked + stalled.count)}
            more={<All count={(state?.counts.blocked ?? 0) + stalled.count} view="blocked" />}
          >
            <List
              path={blockedAt({ limit: String(SHOWN) })}
              name="Blocked tasks and workflows"
              empty={<LastBlocked />}
              others={stalledRows(stalled.workflows)}
              row={(task) => <BlockedRow key={task.task_id} task={task} />}
            />
          </Section>
          <Section name="Now" count={state === undefined ? undefined : counted(state.counts.running)}>
            <List
              path={tasksAt({ status: "running", limit: "20" })}
              name="Running tasks"
              sort={startedFirst}
              empty="Nothing is running."
              row={(task) => <RunningRow key={task.task_id} task={task} lines={1} />}
            />
          </Section>
          <Section
            name="Queue"
            count={state === undefined ? undefined : counted(waiting)}
            more={<All count={waiting} view="queue" />}
          >
            <List
              path={`/api/queue?limit=${SHOWN}`}
              name="Waiting tasks"
              empty="The queue is empty."
              row={(task) => <QueueRow key={task.task_id} task={task} why={reasons.get(task.task_id)} />}
            />
          </Section>
        </div>
        <div class="second">
          <NewTask />
          <Section name="Done" more={<Link href={viewHref("done")}>all that ended</Link>}>
            <LastDone />
          </Section>
          {policy === undefined ? null : (
            <details class="given">
              <summary>Runtime policy</summary>
              <p class="message">{policy}</p>
            </details>
          )}
        </div>
      </div>
    </>
  )
}
