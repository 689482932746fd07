/** What SQLite binds: see EFFECT-NOTES on parameters (a Date fails, undefined becomes NULL). */
export type Value = string | number | null

export interface Statement {
  readonly text: string
  readonly names: ReadonlyArray<string>
  /** True where it surely only reads: anything else is refused outside a transaction, by a connection that cannot write. */
  readonly isQuery?: boolean
}

/**
 * A named, constant statement whose parameters are written `:name`. Texts are constants because the
 * driver keeps a compiled statement for every text that it ever saw.
 */
export const statement = (sql: string): Statement => {
  const names: Array<string> = []
  const text = sql.replace(/(?<!:):([a-z][A-Za-z]*)/g, (_, name: string) => {
    if (!names.includes(name)) names.push(name)
    return `?${names.indexOf(name) + 1}`
  })
  return { text, names, isQuery: /^\s*(SELECT|WITH RECURSIVE)\b/.test(sql) }
}

/** The values of a statement in the order of its parameters; a missing one is a bug and dies by its name. */
export const bind = (of: Statement, values: Readonly<Record<string, Value>>): Array<Value> =>
  of.names.map((name) => {
    const value = values[name]
    if (value === undefined) throw new Error(`no value for :${name} in ${of.text.slice(0, 60)}`)
    return value
  })
