import { useRef, useState } from "preact/hooks"
import { problem } from "../Api.ts"
import { fateWords, heldBack, LEGEND, taskOf, toneOf } from "../Fates.ts"
import { failed } from "../Means.ts"
import { Act } from "../parts/Act.tsx"
import { Glyph } from "../parts/Mark.tsx"
import { Ago, At } from "../parts/Moments.tsx"
import { Loaded, Nothing } from "../parts/Said.tsx"
import { ViewHead } from "../parts/Section.tsx"
import { TaskLink } from "../parts/TaskLink.tsx"
import type { Touches } from "../Records.ts"
import { useCell } from "../UseCell.ts"
import { useGrowing } from "../UseGrowing.ts"
import { useRecord } from "../UseRecord.ts"
import { useSeen } from "../UseSeen.ts"
import type { Fate, Schedule } from "../Wire.ts"
import { moment, plural, shortened, timing } from "../Words.ts"
import { useTitle, useWorld } from "../World.ts"

const touches: Touches = ({ event_type }) => event_type.startsWith("schedule_")

const MARKS = 30

/** So many are drawn at once, each with its marks. */
const ROWS = 40

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

/** That it does not run, since when and for which task. */
const Standing = ({ fates }: { readonly fates: ReadonlyArray<Fate> }) => {
  const held = heldBack(fates)
  const last = fates[0]
  if (held === undefined)
    return last?.task_status === "blocked" && last.task_id !== null ? (
      <p class="line tone-blocked">
        Its last task is blocked: <TaskLink id={last.task_id} />
      </p>
    ) : null
  return (
    <p class={held.ended ? "line muted" : "line tone-blocked"}>
      {held.lastFired === undefined ? null : (
        <>
          Last fired <Ago at={held.lastFired} />.{" "}
        </>
      )}
      Skipped {plural(held.count, "time")}
      {held.lastFired === undefined ? "" : " since"}, because its last task {held.ended ? "was" : "is"}{" "}
      unfinished
      {held.taskId === undefined ? "." : ": "}
      {held.taskId === undefined ? null : <TaskLink id={held.taskId} />}
    </p>
  )
}

const Ribbon = ({
  isSeen,
  schedule
}: {
  readonly schedule: Schedule
  /** Only where somebody looks it is asked for, and kept fresh. */
  readonly isSeen: boolean
}) => {
  const [live] = useState(() => new Set<string>())
  const [changes] = useState(
    (): Touches => (event) =>
      (touches(event) && event.detail.name === schedule.name) ||
      (event.task_id !== null && live.has(event.task_id))
  )
  const found = useRecord<{ readonly fates: ReadonlyArray<Fate> }>(
    isSeen ? `/api/schedules/${encodeURIComponent(schedule.name)}` : undefined,
    changes
  ).data
  // What was drawn once stays: nothing moves when it is scrolled out of sight.
  const last = useRef(found)
  last.current = found ?? last.current
  const { now, utc: isUtc } = useWorld()
  const utc = useCell(isUtc)
  const [chosen, setChosen] = useState<string>()
  const fates = last.current?.fates ?? []
  const shown = fates.slice(0, MARKS).reverse()
  for (const task of shown.map(taskOf)) if (task !== undefined) live.add(task)
  const fate = shown.find(({ first_due_at, fate }) => `${first_due_at} ${fate}` === chosen)
  if (last.current === undefined) return <div class="ribbon" />
  if (shown.length === 0) return <p class="line muted">It was not due yet.</p>
  return (
    <>
      {schedule.enabled ? <Standing fates={fates} /> : null}
      <ol class="ribbon" aria-label={`Last due times of ${schedule.name}, oldest first`}>
        {shown.map((one) => {
          const tone = toneOf(one)
          const id = `${one.first_due_at} ${one.fate}`
          return (
            <li key={id}>
              <button
                type="button"
                class={`tone-${tone}`}
                aria-pressed={id === chosen}
                aria-label={`${moment(one.first_due_at, now.get(), utc)}: ${fateWords(one)}`}
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

const Row = ({ schedule }: { readonly schedule: Schedule }) => {
  const world = useWorld()
  const row = useRef<HTMLLIElement>(null)
  const isSeen = useSeen(row)
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
    <li class="schedule" ref={row}>
      <div class="workflow-head">
        {/* No glyph: those of the marks mean something else. */}
        <span class={schedule.enabled ? "turned muted" : "turned tone-paused"}>
          {schedule.enabled ? "on" : "off"}
        </span>
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
      <Ribbon schedule={schedule} isSeen={isSeen} />
    </li>
  )
}

const List = ({ schedules }: { readonly schedules: ReadonlyArray<Schedule> }) => {
  const { end, shown } = useGrowing(schedules.length, ROWS)
  return (
    <>
      <ul class="workflows">
        {schedules.slice(0, shown).map((schedule) => (
          <Row key={schedule.name} schedule={schedule} />
        ))}
      </ul>
      <div ref={end} />
    </>
  )
}

/** All schedules with what became of their due times. */
export const Schedules = () => {
  useTitle("Schedules")
  const found = useRecord<{ readonly schedules: ReadonlyArray<Schedule> }>("/api/schedules", touches)
  return (
    <>
      <ViewHead
        name="Schedules"
        lead="A mark for each of the last due times. Choose one to see what became of it."
      />
      <ul class="legend muted" aria-label="Marks">
        {LEGEND.map(([tone, words]) => (
          <li key={tone}>
            <Glyph tone={tone} /> {words}
          </li>
        ))}
      </ul>
      <Loaded of={found}>
        {({ schedules }) =>
          schedules.length === 0 ? (
            <Nothing>
              There are no schedules. <code>agent-runtime schedule-create</code> makes one.
            </Nothing>
          ) : (
            <List schedules={schedules} />
          )
        }
      </Loaded>
    </>
  )
}
