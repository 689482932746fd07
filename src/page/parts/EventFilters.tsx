import { useId, useMemo, useRef, useState } from "preact/hooks"
import { ANY, type EventFilter, inForce, offered, typesOf, withOnly, withType } from "../EventFilter.ts"
import { useMedia } from "../UseMedia.ts"
import type { RunEvent } from "../Wire.ts"
import { actorWords, plainWords } from "../Words.ts"
import { UrlInput } from "./UrlInput.tsx"

/** So many of a kind are offered at once; the others are behind a button. */
const FEW = 8

/** The words of a filter's value. */
const wordsOf = (name: string, value: string): string =>
  name === "type" ? plainWords(value) : name === "actor" ? actorWords({ name: value }) : value

/** Chips of one kind to press: those that are in force are pressed. */
const Choices = ({
  name,
  several,
  values,
  pressed,
  toggle
}: {
  readonly name: "type" | "actor"
  readonly several: string
  readonly values: ReadonlyArray<string>
  readonly pressed: ReadonlyArray<string>
  readonly toggle: (value: string) => void
}) => {
  const id = useId()
  const [all, setAll] = useState(false)
  // A button for one more would take as much room as that one.
  const rest = values.length > FEW + 1 ? values.length - FEW : 0
  return values.length === 0 ? null : (
    <fieldset aria-labelledby={id}>
      <span id={id} class="muted">
        {plainWords(name)}
      </span>
      <div>
        {(all || rest === 0 ? values : values.slice(0, FEW)).map((value) => (
          <button
            key={value}
            type="button"
            class="chip"
            aria-pressed={pressed.includes(value)}
            onClick={() => toggle(value)}
          >
            {wordsOf(name, value)}
          </button>
        ))}
        {rest === 0 ? null : (
          <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? `Fewer ${several}` : `${rest} more ${several}`}
          </button>
        )}
      </div>
    </fieldset>
  )
}

/** The values that occur in what is held; while the page is open none of them changes its place. */
const useOffered = (
  events: ReadonlyArray<RunEvent>,
  valueOf: (event: RunEvent) => string
): ReadonlyArray<string> => {
  const known = useRef<ReadonlyArray<string>>([])
  known.current = useMemo(() => offered(known.current, events.map(valueOf)), [events])
  return known.current
}

/** A chip goes with its button: the one beside it has the focus then. */
const focusBeside = (chip: Element | null): void => {
  const next = chip?.nextElementSibling
  const beside = next?.matches(".chip") ? next : chip?.previousElementSibling
  beside?.querySelector("button")?.focus()
}

/** The filters of a history: a chip for each in force, which removes it, and chips to add one. */
export const EventFilters = ({
  events,
  filter,
  set
}: {
  /** What is held, from which types and actors are offered. */
  readonly events: ReadonlyArray<RunEvent>
  readonly filter: EventFilter
  /** `replace`: it goes on with the change before it. */
  readonly set: (filter: EventFilter, replace?: boolean) => void
}) => {
  const id = useId()
  const hasRoom = useMedia("(min-width: 701px)")
  const types = useOffered(events, ({ event_type }) => event_type)
  const actors = useOffered(events, ({ actor }) => actor.name)
  const chips = inForce(filter)
  return (
    <>
      {chips.length === 0 ? null : (
        <ul class="chips" aria-label="Filters in force">
          {chips.map(({ name, value, without }) => (
            <li key={`${name} ${value}`} class="chip">
              <span>
                <span class="muted">{name}</span> {wordsOf(name, value)}
              </span>
              <button
                type="button"
                class="quiet"
                aria-label={`Remove the filter ${name} ${value}`}
                onClick={(event) => {
                  focusBeside(event.currentTarget.closest("li"))
                  set(without)
                }}
              >
                ×
              </button>
            </li>
          ))}
          <li>
            <button type="button" class="quiet" onClick={() => set(ANY)}>
              Clear
            </button>
          </li>
        </ul>
      )}
      <details class="fold" open={hasRoom}>
        <summary>Filters</summary>
        <form class="filters of-events" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
          <Choices
            name="type"
            several="types"
            values={types}
            pressed={typesOf(filter)}
            toggle={(type) => set(withType(filter, type))}
          />
          <Choices
            name="actor"
            several="actors"
            values={actors}
            pressed={[filter.actor]}
            toggle={(actor) => set(withOnly(filter, "actor", actor))}
          />
          <p class="field">
            <label for={id}>Task id</label>
            <UrlInput
              id={id}
              value={filter.task}
              placeholder="its beginning"
              set={(task, isSame) => set({ ...filter, task }, isSame)}
            />
          </p>
        </form>
      </details>
    </>
  )
}
