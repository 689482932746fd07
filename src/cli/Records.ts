import { isObject, type JsonObject } from "../domain/Json.ts"
import { type Block, type Cell, type Doc, fields, heading, status, table, text } from "./Doc.ts"

/** A table of more columns than this tells nobody anything: rows become blocks of fields. */
const MOST_COLUMNS = 8

/** A document made from the shape of JSON alone: scalars as fields, lists of objects as tables. */
export const records = (value: unknown): Doc => {
  if (Array.isArray(value)) return [list(value)]
  if (!isObject(value)) return [text(String(value))]
  const entries = Object.entries(value)
  const flat = entries.filter(([, one]) => !isTable(one) && !isObject(one))
  const deep = entries.filter(([, one]) => isTable(one) || isObject(one))
  return [
    ...(flat.length === 0 ? [] : [fields(flat.map(([key, one]) => [key, cell(key, one)] as const))]),
    ...deep.flatMap(([key, one]) => [
      heading(key),
      Array.isArray(one) ? list(one) : fields(isObject(one) ? rows("", one) : [])
    ])
  ]
}

const isTable = (value: unknown): value is ReadonlyArray<unknown> =>
  Array.isArray(value) && (value.length === 0 || value.some(isObject))

const list = (values: ReadonlyArray<unknown>): Block => {
  const objects = values.filter(isObject)
  if (objects.length < values.length || values.length === 0)
    return values.length === 0 ? table([], []) : text(...values.map((one) => inline(one)))
  const keys = [...new Set(objects.flatMap(Object.keys))]
  const used = keys.filter((key) => objects.some((one) => one[key] !== null && !isTable(one[key])))
  return table(
    used.slice(0, MOST_COLUMNS).map((key) => ({ title: key, keep: /(^|_)id$/.test(key) })),
    objects.map((one) => used.slice(0, MOST_COLUMNS).map((key) => cell(key, one[key])))
  )
}

const rows = (prefix: string, value: JsonObject): ReadonlyArray<readonly [string, Cell]> =>
  Object.entries(value).flatMap(([key, one]) =>
    isObject(one) ? rows(`${prefix}${key}.`, one) : [[`${prefix}${key}`, cell(key, one)] as const]
  )

const cell = (key: string, value: unknown): Cell => {
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean")
    return value
  if (typeof value === "string") return /(^|_)(status|state)$/.test(key) ? status(value) : value
  return inline(value)
}

const inline = (value: unknown): string => {
  if (typeof value === "string") return value
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(", ")
  return JSON.stringify(value)
}
