import { useState } from "preact/hooks"
import { problem } from "./Api.ts"
import type { Known, Touches } from "./Records.ts"
import { useRecord } from "./UseRecord.ts"
import { useWorld } from "./World.ts"

/** A list that grows by a page at a time; what is beyond the first page is as old as its asking. */
export interface Pages<P> {
  readonly first: Known<P>
  /** Every page that was asked for, by the first of them. */
  readonly all: (first: P) => ReadonlyArray<P>
  /** Asks for the page after those. */
  readonly more: (after: string) => Promise<void>
  /** Why the last one did not come. */
  readonly wrong: string | undefined
}

/**
 * The pages of a list; `at` is the address of one by the `next` of the page before, of the first one without. Where it
 * has none, nothing is asked for.
 */
export const usePages = <P>(at: (after?: string) => string | undefined, touches: Touches): Pages<P> => {
  const { api } = useWorld()
  const path = at()
  const first = useRecord<P>(path, touches)
  const [rest, setRest] = useState<{ readonly of: string | undefined; readonly pages: ReadonlyArray<P> }>({
    of: path,
    pages: []
  })
  const [wrong, setWrong] = useState<string>()
  const pages = rest.of === path ? rest.pages : []
  return {
    first,
    all: (page) => [page, ...pages],
    more: async (after) => {
      const further = at(after)
      if (further === undefined) return
      try {
        setWrong(undefined)
        const next = await api.get<P>(further)
        setRest({ of: path, pages: [...pages, next] })
      } catch (error) {
        setWrong(problem(error).message)
      }
    },
    wrong
  }
}

/** Rows of several pages, each once: one that a page has may stand in a page before by now. */
export const once = <R>(rows: ReadonlyArray<R>, idOf: (row: R) => string | number): ReadonlyArray<R> => {
  const seen = new Set<string | number>()
  return rows.filter((row) => !seen.has(idOf(row)) && seen.add(idOf(row)))
}
