import { useId } from "preact/hooks"
import { canCancel, cancelAll, canRetry, type Filter, retryAll } from "../Moves.ts"
import { Act } from "../parts/Act.tsx"
import { Link } from "../parts/Link.tsx"
import { Glyph } from "../parts/Mark.tsx"
import { BlockedRow, DoneRow, QueueRow } from "../parts/Rows.tsx"
import { RunningRow } from "../parts/Running.tsx"
import { ViewHead } from "../parts/Section.tsx"
import { UrlInput } from "../parts/UrlInput.tsx"
import { viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useMedia } from "../UseMedia.ts"
import type { Status, Task } from "../Wire.ts"
import { statusWords } from "../Words.ts"
import { useTitle, useWorld } from "../World.ts"
import { Paged } from "./Lists.tsx"

const STATUSES: ReadonlyArray<Status> = [
  "blocked",
  "running",
  "pending",
  "retryable_failure",
  "completed",
  "permanent_failure",
  "operator_canceled"
]

/** A task as its status wants it shown. */
const AnyRow = ({ task }: { readonly task: Task }) => {
  if (task.status === "blocked") return <BlockedRow task={task} />
  if (task.status === "running") return <RunningRow task={task} lines={1} />
  return task.status === "pending" || task.status === "retryable_failure" ? (
    <QueueRow task={task} />
  ) : (
    <DoneRow task={task} />
  )
}

/** Adds a word to a list of them, or takes it out. */
export const toggled = (list: ReadonlyArray<string>, word: string): ReadonlyArray<string> =>
  list.includes(word) ? list.filter((one) => one !== word) : [...list, word]

/** All tasks by search and filter; the address says which. */
export const Tasks = () => {
  const world = useWorld()
  const { query } = useCell(world.route)
  const id = useId()
  useTitle(query.q ? `Search: ${query.q}` : "All tasks")
  const chosen = (query.status ?? "").split(",").filter((one) => one !== "")
  const { q } = query
  // The server refuses a filter in which nothing is; here it is one that somebody has not begun.
  const [kind, source] = [query.kind, query.source].map((one) => (one?.trim() ? one : undefined))
  // What none of the chosen statuses allows is not offered.
  const offers = (can: (task: { readonly status: Status }) => boolean): boolean =>
    chosen.length === 0 || STATUSES.some((status) => chosen.includes(status) && can({ status }))
  const set = (changed: Readonly<Record<string, string>>, replace = false) =>
    world.go(viewHref("tasks", { q, kind, source, status: query.status, ...changed }), { replace })
  const filter = {
    ...(chosen.length === 0 ? {} : { status: chosen.join(",") }),
    ...(kind ? { kind } : {}),
    ...(source ? { source } : {}),
    ...(q ? { q } : {})
  }
  const hasRoom = useMedia("(min-width: 701px)")
  const isFiltered = Object.keys(filter).length > 0
  // A search finds by beginnings and words; what is moved together is named exactly.
  const together: Filter | undefined =
    !isFiltered || q
      ? undefined
      : {
          ...(chosen.length === 0 ? {} : { status: chosen }),
          ...(kind ? { kind } : {}),
          ...(source ? { source } : {})
        }
  return (
    <>
      <ViewHead name="All tasks" lead={q ? `Search: ${q}` : undefined}>
        {isFiltered ? (
          <>
            {together === undefined ? null : (
              <>
                {offers(canRetry) ? (
                  <Act onClick={() => void retryAll(world, together, "Retry matching")}>Retry matching</Act>
                ) : null}
                {offers(canCancel) ? (
                  <Act onClick={() => void cancelAll(world, together, "Cancel matching")}>
                    Cancel matching
                  </Act>
                ) : null}
              </>
            )}
            <Link href={viewHref("tasks")}>Clear filters</Link>
          </>
        ) : undefined}
      </ViewHead>
      <details class="fold" open={hasRoom || isFiltered}>
        <summary>Filters</summary>
        <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
          <fieldset>
            <legend class="hidden">Status</legend>
            {STATUSES.map((status) => {
              const [tone, word] = statusWords(status)
              return (
                <label key={status} class={`chip tone-${tone}`}>
                  <input
                    type="checkbox"
                    checked={chosen.includes(status)}
                    onChange={() => set({ status: toggled(chosen, status).join(",") })}
                  />
                  <Glyph tone={tone} />
                  {word}
                </label>
              )
            })}
          </fieldset>
          {(["kind", "source"] as const).map((name) => (
            <p class="field" key={name}>
              <label for={`${id}-${name}`}>{name === "kind" ? "Kind" : "Source"}</label>
              <UrlInput
                id={`${id}-${name}`}
                value={query[name] ?? ""}
                placeholder="any"
                set={(text, isSame) => set({ [name]: text }, isSame)}
              />
            </p>
          ))}
        </form>
      </details>
      <Paged
        query={{ ...filter, limit: "100" }}
        label="Tasks"
        empty={
          isFiltered
            ? "No task matches. Search finds the beginnings of ids and words of subject, kind and source."
            : "There are no tasks yet."
        }
        row={(task) => <AnyRow key={task.task_id} task={task} />}
      />
    </>
  )
}
