import type { JsonObject } from "../../domain/Json.ts"

/** The id that a workflow of the original has here; undefined where it is none of its own. */
export type IdHere = (original: number) => number | undefined

const SOURCE = /^workflow:(\d{1,15}):/

/** A task's source whose workflow has another id here; any other text is as it was. */
const source = (text: string, idHere: IdHere): string =>
  text.replace(SOURCE, (whole, original: string) => {
    const id = idHere(Number(original))
    return id === undefined ? whole : `workflow:${id}:`
  })

const value = (given: unknown, idHere: IdHere): unknown => {
  if (typeof given === "string") return source(given, idHere)
  if (Array.isArray(given)) return given.map((one: unknown) => value(one, idHere))
  return typeof given === "object" && given !== null ? renumbered(given as JsonObject, idHere) : given
}

/** A document in which every workflow, as a `workflow_id` or in a task's source, has the id that it has here. */
export const renumbered = (document: JsonObject, idHere: IdHere): JsonObject =>
  Object.fromEntries(
    Object.entries(document).map(([key, given]) => [
      key,
      key === "workflow_id" && typeof given === "number" ? (idHere(given) ?? given) : value(given, idHere)
    ])
  )
