import { Glyph } from "../parts/Mark.tsx"
import { At } from "../parts/Moments.tsx"
import type { RunEvent } from "../Wire.ts"
import { momentsOf } from "./Story.ts"

/** One vertical line of time. */
export const Timeline = ({
  events,
  above
}: {
  readonly events: ReadonlyArray<RunEvent>
  /** The reason that stands in the task's head. */
  readonly above: string | undefined
}) => (
  <ol class="timeline" aria-label="Timeline">
    {momentsOf(events, above).map(({ after, at, detail, tone, words }, index) => (
      <li key={`${at} ${index}`}>
        <Glyph tone={tone} />
        <At at={at} />
        <span class="after num muted">{after}</span>
        <span class="words">
          {words}
          {detail === undefined ? null : <span class="muted"> {detail}</span>}
        </span>
      </li>
    ))}
  </ol>
)
