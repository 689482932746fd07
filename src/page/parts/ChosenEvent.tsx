import type { ComponentChildren, RefObject } from "preact"
import { useLayoutEffect, useRef } from "preact/hooks"
import { taskHref } from "../Route.ts"
import { useMedia } from "../UseMedia.ts"
import type { RunEvent } from "../Wire.ts"
import { actorWords, plainWords } from "../Words.ts"
import { Link } from "./Link.tsx"
import { At } from "./Moments.tsx"
import { Pre } from "./Pre.tsx"

/**
 * One event of a list with all that is recorded of it, below the list: its row stays where it was pressed. Where there
 * is no room for both, the page goes to it, and back to the row when it is closed.
 */
export const ChosenEvent = ({
  event,
  listRef,
  close,
  children
}: {
  readonly event: RunEvent
  /** The list that it was chosen from. */
  readonly listRef: RefObject<HTMLElement | null>
  readonly close: () => void
  /** What can be done with it. */
  readonly children?: ComponentChildren
}) => {
  const row = () => listRef.current?.querySelector<HTMLElement>(".type[aria-pressed=true]")
  const box = useRef<HTMLElement>(null)
  const isNarrow = useMedia("(max-width: 700px)")
  // Only a row that this would cover moves, and no further than that.
  useLayoutEffect(() => {
    if (isNarrow) box.current?.scrollIntoView({ block: "start" })
    else row()?.scrollIntoView({ block: "nearest" })
  }, [event.id])
  return (
    <section class="chosen" aria-label="Chosen event" ref={box}>
      <p class="chosen-head">
        <strong>{plainWords(event.event_type)}</strong>
        <span class="muted">
          <At at={event.created_at} /> · {actorWords(event.actor)} ({event.actor.surface})
        </span>
        {event.task_id === null ? null : <Link href={taskHref(event.task_id)}>Its task</Link>}
        {children}
        <button
          type="button"
          class="quiet"
          onClick={() => {
            row()?.focus()
            close()
          }}
        >
          Close
        </button>
      </p>
      <Pre label="Its record">{JSON.stringify(event, null, 2)}</Pre>
    </section>
  )
}
