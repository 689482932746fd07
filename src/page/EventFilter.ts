import type { Query } from "./Route.ts"
import type { RunEvent } from "./Wire.ts"

/** Which events are shown, as the address says it; what is empty is any. */
export interface EventFilter {
  /** One or several types, separated by commas. */
  readonly type: string
  /** The beginning of a task's id. */
  readonly task: string
  readonly actor: string
}

/** Every event. */
export const ANY: EventFilter = { type: "", task: "", actor: "" }

/** The filter that an address names. */
export const filterOf = ({ actor = "", task = "", type = "" }: Query): EventFilter => ({ type, task, actor })

/** The types of a filter, each once. */
export const typesOf = ({ type }: Pick<EventFilter, "type">): ReadonlyArray<string> => [
  ...new Set(type.split(",").filter((one) => one !== ""))
]

/** A filter with one type more, or without it. */
export const withType = (filter: EventFilter, type: string): EventFilter => {
  const types = typesOf(filter)
  return {
    ...filter,
    type: (types.includes(type) ? types.filter((one) => one !== type) : [...types, type]).join(",")
  }
}

/** A filter of this one type, task or actor, or without it where it was that. */
export const withOnly = (filter: EventFilter, name: keyof EventFilter, value: string): EventFilter => ({
  ...filter,
  [name]: filter[name] === value ? "" : value
})

/** Whether an event passes a filter. */
export const passes = (filter: EventFilter): ((event: RunEvent) => boolean) => {
  const { actor, task } = filter
  const types = new Set(typesOf(filter))
  return (event) =>
    (types.size === 0 || types.has(event.event_type)) &&
    (task === "" || (event.task_id ?? "").startsWith(task)) &&
    (actor === "" || event.actor.name === actor)
}

/** One filter in force, and what is left when it is removed. */
export interface InForce {
  readonly name: "type" | "task" | "actor"
  readonly value: string
  readonly without: EventFilter
}

/** The filters in force, one by one. */
export const inForce = (filter: EventFilter): ReadonlyArray<InForce> => [
  ...typesOf(filter).map((value) => ({ name: "type" as const, value, without: withType(filter, value) })),
  ...(["task", "actor"] as const)
    .filter((name) => filter[name] !== "")
    .map((name) => ({ name, value: filter[name], without: withOnly(filter, name, filter[name]) }))
]

/**
 * Values to choose from: those that were offered keep their place, as somebody may be about to press one; new ones come
 * behind them, the most frequent first.
 */
export const offered = (known: ReadonlyArray<string>, values: Iterable<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  for (const value of known) counts.delete(value)
  return counts.size === 0
    ? known
    : [...known, ...[...counts].sort(([, a], [, b]) => b - a).map(([value]) => value)]
}
