import { useState } from "preact/hooks"
import { problem } from "../Api.ts"
import { failed } from "../Means.ts"
import { Act } from "../parts/Act.tsx"
import { Glyph, Mark } from "../parts/Mark.tsx"
import { Ago, At } from "../parts/Moments.tsx"
import { Loaded, Nothing } from "../parts/Said.tsx"
import { ViewHead } from "../parts/Section.tsx"
import { TaskLink } from "../parts/TaskLink.tsx"
import { type Touches, touchesTasks } from "../Records.ts"
import { useRecord } from "../UseRecord.ts"
import type { Fate, Schedule } from "../Wire.ts"
import { plural, shortened, statusWords, type Tone, timing } from "../Words.ts"
import { useTitle, useWorld } from "../World.ts"
import { type Page, tasksAt } from "./Lists.tsx"

const touches: Touches = ({ event_type }) => event_type.startsWith("schedule_")

const MARKS = 30

const FATES: Readonly<Record<Fate["fate"], readonly [Tone, string]>> = {
  fired: ["completed", "fired, its task completed"],
  skipped_overlap: ["canceled", "skipped: the last task was unfinished"],
  coalesced: ["waiting", "missed, made up by one run"],
  refused: ["failed", "refused, or its task failed"]
}

/** What became of a due time, in words. */
export const fateWords = (fate: Fate): string =>
  fate.fate === "coalesced"
    ? `${plural(fate.missed, "due time")} missed, made up by one run`
    : fate.fate === "refused"
      ? "refused"
      : (FATES[fate.fate]?.[1] ?? fate.fate)

/** The task that a due time is about: the one that it made, or the one that held it back. */
const taskOf = ({ reason, task_id }: Fate): string | undefined =>
  task_id ?? /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/.exec(reason ?? "")?.[0]

const Chosen = ({ fate }: { readonly fate: Fate }) => {
  const task = taskOf(fate)
  return (
    <p class="line fate">
      due <At at={fate.first_due_at} />
      {fate.last_due_at === fate.first_due_at ? null : (
        <>
          {" to "}
          <At at={fate.last_due_at} />
        </>
      )}
      : {fateWords(fate)}
      {/* The task's mark says how it stands. */}
      {fate.reason === null || (task !== undefined && fate.fate === "skipped_overlap")
        ? ""
        : `, ${shortened(fate.reason)}`}
      {task === undefined ? null : (
        <>
          {" · "}
          <TaskLink id={task} />
        </>
      )}
    </p>
  )
}

const Ribbon = ({
  schedule,
  ended
}: {
  readonly schedule: Schedule
  /** Tasks that ended badly, wait for an operator or have not ended, each with its status. */
  readonly ended: ReadonlyMap<string, string>
}) => {
  const found = useRecord<{ readonly fates: ReadonlyArray<Fate> }>(
    `/api/schedules/${encodeURIComponent(schedule.name)}`,
    touches
  )
  const [chosen, setChosen] = useState<string>()
  const shown = (found.data?.fates ?? []).slice(0, MARKS).reverse()
  const fate = shown.find(({ first_due_at, fate }) => `${first_due_at} ${fate}` === chosen)
  if (found.data === undefined) return null
  if (shown.length === 0) return <p class="line muted">It was not due yet.</p>
  return (
    <>
      <ol class="ribbon" aria-label={`Last due times of ${schedule.name}, oldest first`}>
        {shown.map((one) => {
          const status = ended.get(one.task_id ?? "")
          const tone = status === undefined ? (FATES[one.fate]?.[0] ?? "waiting") : statusWords(status)[0]
          const words = status === undefined ? "" : `, its task ${statusWords(status)[1]}`
          const id = `${one.first_due_at} ${one.fate}`
          return (
            <li key={id}>
              <button
                type="button"
                class={`tone-${tone}`}
                aria-pressed={id === chosen}
                aria-label={`${one.first_due_at}: ${fateWords(one)}${words}`}
                onClick={() => setChosen(id === chosen ? undefined : id)}
              >
                <Glyph tone={tone} />
              </button>
            </li>
          )
        })}
      </ol>
      {fate === undefined ? null : <Chosen fate={fate} />}
    </>
  )
}

const Row = ({
  schedule,
  ended
}: {
  readonly schedule: Schedule
  readonly ended: ReadonlyMap<string, string>
}) => {
  const world = useWorld()
  const turn = async () => {
    const move = schedule.enabled ? "disable" : "enable"
    try {
      await world.api.post(`/api/schedules/${encodeURIComponent(schedule.name)}/${move}`, {})
      world.notice.set({ tone: "done", text: `${schedule.name} is ${schedule.enabled ? "off" : "on"}.` })
    } catch (error) {
      failed(world, problem(error))
    }
  }
  return (
    <li class="schedule">
      <div class="workflow-head">
        <Mark tone={schedule.enabled ? "running" : "paused"} word={schedule.enabled ? "on" : "off"} />
        <strong>{schedule.name}</strong>
        <span class="muted">{timing(schedule)}</span>
        <span class="when">
          {schedule.enabled ? (
            <>
              next <Ago at={schedule.next_run_at} />
            </>
          ) : (
            (schedule.disabled_reason ?? "turned off")
          )}
        </span>
        <span class="moves">
          <Act onClick={() => void turn()}>{schedule.enabled ? "Turn off" : "Turn on"}</Act>
        </span>
      </div>
      {schedule.last_task_id !== null && ended.get(schedule.last_task_id) === "blocked" ? (
        <p class="line tone-blocked">
          {schedule.overlap === "skip"
            ? "Held back until its last task goes on: "
            : "Its last task is blocked: "}
          <TaskLink id={schedule.last_task_id} />
        </p>
      ) : null}
      <Ribbon schedule={schedule} ended={ended} />
    </li>
  )
}

/** All schedules with what became of their due times. */
export const Schedules = () => {
  useTitle("Schedules")
  const found = useRecord<{ readonly schedules: ReadonlyArray<Schedule> }>("/api/schedules", touches)
  const bad = useRecord<Page>(
    tasksAt({ status: "permanent_failure,blocked,pending,running,retryable_failure", limit: "500" }),
    touchesTasks
  )
  const ended = new Map((bad.data?.tasks ?? []).map(({ status, task_id }) => [task_id, status]))
  return (
    <>
      <ViewHead
        name="Schedules"
        lead="A mark for each of the last due times. Choose one to see what became of it."
      />
      <ul class="legend muted" aria-label="Marks">
        {(Object.keys(FATES) as ReadonlyArray<Fate["fate"]>).map((fate) => (
          <li key={fate}>
            <Glyph tone={FATES[fate][0]} /> {FATES[fate][1]}
          </li>
        ))}
        <li>
          <Glyph tone="blocked" /> fired, its task is blocked
        </li>
        <li>
          <Glyph tone="running" /> fired, its task runs
        </li>
      </ul>
      <Loaded of={found}>
        {({ schedules }) =>
          schedules.length === 0 ? (
            <Nothing>
              There are no schedules. <code>agent-runtime schedule-create</code> makes one.
            </Nothing>
          ) : (
            <ul class="workflows">
              {schedules.map((schedule) => (
                <Row key={schedule.name} schedule={schedule} ended={ended} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </>
  )
}
