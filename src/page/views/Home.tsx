import { Link } from "../parts/Link.tsx"
import { Ago } from "../parts/Moments.tsx"
import { NewTask } from "../parts/NewTask.tsx"
import { BlockedRow, DoneRow, QueueRow, StalledRow } from "../parts/Rows.tsx"
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
import { doneAt, oldestFirst, type Page, tasksAt } from "./Lists.tsx"

const SHOWN = 10

const List = ({
  path,
  name,
  empty,
  row,
  sort,
  before = []
}: {
  readonly path: string
  readonly name: string
  readonly empty: preact.ComponentChildren
  readonly row: (task: Task) => preact.ComponentChildren
  readonly sort?: (a: Task, b: Task) => number
  /** Rows that stand before those of tasks. */
  readonly before?: ReadonlyArray<preact.ComponentChild>
}) => {
  const found = useRecord<Page>(path, touchesTasks)
  return (
    <Loaded of={found}>
      {({ tasks }) =>
        tasks.length === 0 && before.length === 0 ? (
          <Nothing>{empty}</Nothing>
        ) : (
          <Rows label={name}>
            {before}
            {(sort === undefined ? tasks : [...tasks].sort(sort)).slice(0, SHOWN).map(row)}
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
            count={state === undefined ? undefined : counted(state.counts.blocked + stalled.length)}
            more={<All count={state?.counts.blocked ?? 0} view="blocked" />}
          >
            <List
              path={tasksAt({ status: "blocked", limit: "100" })}
              name="Blocked tasks"
              sort={oldestFirst}
              empty={<LastBlocked />}
              before={stalled
                .slice(0, SHOWN)
                .map((workflow) => <StalledRow key={workflow.id} workflow={workflow} />)}
              row={(task) => <BlockedRow key={task.task_id} task={task} />}
            />
          </Section>
          <Section name="Now" count={state === undefined ? undefined : counted(state.counts.running)}>
            <List
              path={tasksAt({ status: "running", limit: "20" })}
              name="Running tasks"
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
            <List
              path={doneAt({ limit: String(SHOWN) })}
              name="Ended tasks"
              empty="Nothing has ended yet."
              row={(task) => <DoneRow key={task.task_id} task={task} used />}
            />
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
