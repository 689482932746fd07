import { useState } from "preact/hooks"
import { Link } from "../parts/Link.tsx"
import { StatusMark } from "../parts/Mark.tsx"
import { Ago, At } from "../parts/Moments.tsx"
import { Pre } from "../parts/Pre.tsx"
import { Loaded, Nothing } from "../parts/Said.tsx"
import { Section } from "../parts/Section.tsx"
import { taskHref } from "../Route.ts"
import { useRecord } from "../UseRecord.ts"
import type { Artifact, RunEvent, Task } from "../Wire.ts"
import { actorWords, detailLine, plainWords, size, title } from "../Words.ts"

const MOST_PREVIEW = 100_000

const Preview = ({ path }: { readonly path: string }) => {
  const found = useRecord<{
    readonly content: string | null
    readonly content_type: string
    readonly size: number
  }>(`/api/artifact?path=${encodeURIComponent(path)}`)
  return (
    <Loaded of={found}>
      {({ content, content_type, size: bytes }) =>
        content === null ? (
          <Nothing>
            It is no text ({content_type}, {size(bytes)}): it can be looked at on the host.
          </Nothing>
        ) : (
          <Pre label={`Text of ${path}`}>
            {content.length > MOST_PREVIEW
              ? `${content.slice(0, MOST_PREVIEW)}\n… ${size(content.length)} in all`
              : content}
          </Pre>
        )
      }
    </Loaded>
  )
}

const One = ({ artifact }: { readonly artifact: Artifact }) => {
  const [open, setOpen] = useState(false)
  return (
    <li>
      {artifact.exists ? (
        <button type="button" class="file" aria-expanded={open} onClick={() => setOpen(!open)}>
          {artifact.path}
        </button>
      ) : (
        <span class="file">{artifact.path}</span>
      )}
      <span class="num muted">
        {artifact.exists ? (artifact.size === null ? "" : size(artifact.size)) : "not there"}
      </span>
      {open ? <Preview path={artifact.path} /> : null}
    </li>
  )
}

/** The files that a task names as its products. */
export const Artifacts = ({ artifacts }: { readonly artifacts: ReadonlyArray<Artifact> }) => (
  <Section name="Artifacts" count={artifacts.length}>
    {artifacts.length === 0 ? (
      <Nothing>No file is named as a product.</Nothing>
    ) : (
      <ul class="files">
        {artifacts.map((artifact) => (
          <One key={artifact.path} artifact={artifact} />
        ))}
      </ul>
    )}
  </Section>
)

const SHOWN = 12

/** Every line of a task's history, as it was recorded. */
export const Events = ({ events }: { readonly events: ReadonlyArray<RunEvent> }) => {
  const [all, setAll] = useState(false)
  const shown = all ? events : events.slice(-SHOWN)
  return (
    <Section name="Events" count={events.length}>
      {shown.length < events.length ? (
        <p class="buttons">
          <button type="button" class="quiet" onClick={() => setAll(true)}>
            Show the {events.length - shown.length} before
          </button>
        </p>
      ) : null}
      <ol class="event-lines">
        {shown.map((event) => (
          <li key={event.id}>
            <At at={event.created_at} />
            <span class="words">{plainWords(event.event_type)}</span>
            <span class="muted detail">
              {actorWords(event.actor)} · {detailLine(event.detail)}
            </span>
          </li>
        ))}
      </ol>
    </Section>
  )
}

/** A task in one line, beside a word for what it is to this one. */
export const Relative = ({ task, word }: { readonly task: Task; readonly word: string }) => (
  <li>
    <span class="muted">{word}</span>
    <StatusMark status={task.status} />
    <Link href={taskHref(task.task_id)}>{title(task)}</Link>
    <Ago at={task.created_at} />
  </li>
)
