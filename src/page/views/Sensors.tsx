import { Link } from "../parts/Link.tsx"
import { Mark, Untrusted } from "../parts/Mark.tsx"
import { Ago } from "../parts/Moments.tsx"
import { More } from "../parts/More.tsx"
import { Pre } from "../parts/Pre.tsx"
import { Loaded, Nothing } from "../parts/Said.tsx"
import { ViewHead } from "../parts/Section.tsx"
import type { Touches } from "../Records.ts"
import { searchOf, taskHref, workflowHref } from "../Route.ts"
import { once, usePages } from "../UsePages.ts"
import type { SensorEvent } from "../Wire.ts"
import type { SensorEventPage } from "../WirePages.ts"
import { useTitle } from "../World.ts"

const touches: Touches = ({ event_type }) => event_type.startsWith("sensor_")

const Row = ({ event }: { readonly event: SensorEvent }) => (
  <li class="row">
    {event.stale ? <Mark tone="canceled" word="stale" /> : <Mark tone="completed" word="recorded" />}
    <div class="what">
      <span class="subject">{event.sensor_id}</span>
      <span class="origin muted">
        {event.event_id} · {event.source_ref}
      </span>
    </div>
    <p class="line">
      {event.stale ? "It came after its deadline: recorded, nothing created." : null}
      {event.task_id === null ? null : (
        <>
          created <Link href={taskHref(event.task_id)}>{`task ${event.task_id.slice(0, 13)}`}</Link>{" "}
        </>
      )}
      {event.workflow_id === null ? null : (
        <Link href={workflowHref(event.workflow_id)}>workflow {event.workflow_id}</Link>
      )}
      {!event.stale && event.task_id === null && event.workflow_id === null ? "an observation alone" : null}
    </p>
    <details class="given">
      <summary>
        Payload <Untrusted />
      </summary>
      <Pre label={`Payload of ${event.event_id}`}>{JSON.stringify(event.payload, null, 2)}</Pre>
    </details>
    <span class="when">
      <Ago at={event.observed_at} />
    </span>
  </li>
)

/** What sensors pushed in, newest first. */
export const Sensors = () => {
  useTitle("Sensors")
  const pages = usePages<SensorEventPage>(
    (after) => `/api/sensors/events${searchOf({ limit: "100", after })}`,
    touches
  )
  return (
    <>
      <ViewHead name="Sensors" lead="What sensors pushed in, newest first, and what came of it." />
      <Loaded of={pages.first}>
        {(page) => {
          const all = pages.all(page)
          const events = once(
            all.flatMap((one) => one.events),
            ({ sensor_event_id }) => sensor_event_id
          )
          return events.length === 0 ? (
            <Nothing>
              No sensor has reported. They push by <code>agent-runtime sensor-event</code> or{" "}
              <code>POST /api/sensors/events</code>.
            </Nothing>
          ) : (
            <div class="list">
              <ul class="rows" aria-label="Sensor events">
                {events.map((event) => (
                  <Row key={event.sensor_event_id} event={event} />
                ))}
              </ul>
              <More of={pages} next={all.at(-1)?.next ?? null} />
            </div>
          )
        }}
      </Loaded>
    </>
  )
}
