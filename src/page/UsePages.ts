import { useEffect, useState } from "preact/hooks"
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

/** What every page tells: where the one after begins. */
interface Linked {
  readonly next: string | null
}

const NONE: ReadonlyArray<never> = []

/**
 * The pages of a list; `at` is the address of one by the `next` of the page before, of the first one without. Where it
 * has none, nothing is asked for. Back from what one of its rows led to it goes as far as it went before. With
 * `keepsUp` every page is asked for anew when the first one is: where what is new comes last.
 */
export const usePages = <P extends Linked>(
  at: (after?: string) => string | undefined,
  touches: Touches,
  keepsUp = false
): Pages<P> => {
  const { api, reached, sought } = useWorld()
  const path = at()
  const first = useRecord<P>(path, touches)
  const [rest, setRest] = useState<{ readonly of: string | undefined; readonly pages: ReadonlyArray<P> }>({
    of: path,
    pages: NONE
  })
  const [wrong, setWrong] = useState<string>()
  const pages = rest.of === path ? rest.pages : NONE
  const page = first.data
  useEffect(() => {
    if (path === undefined || page === undefined) return
    const before = sought.get() === undefined ? 0 : (reached.get(path) ?? 0)
    const count = pages.length === 0 ? before : keepsUp ? pages.length : 0
    if (count === 0) return
    const asking = new AbortController()
    const ask = async (next: string | null, anew: ReadonlyArray<P>): Promise<ReadonlyArray<P>> => {
      const further = next === null || anew.length === count ? undefined : at(next)
      if (further === undefined) return anew
      const found = await api.get<P>(further, asking.signal)
      return ask(found.next, [...anew, found])
    }
    ask(page.next, NONE).then(
      (anew) => {
        if (asking.signal.aborted) return
        setWrong(undefined)
        // One more may have been asked for meanwhile.
        setRest((held) => ({
          of: path,
          pages: [...anew, ...(held.of === path ? held.pages.slice(count) : NONE)]
        }))
      },
      (error: unknown) => {
        if (!asking.signal.aborted) setWrong(problem(error).message)
      }
    )
    return () => asking.abort()
  }, [path, page])
  return {
    first,
    all: (page) => [page, ...pages],
    more: async (after) => {
      const further = at(after)
      if (further === undefined || path === undefined) return
      try {
        setWrong(undefined)
        const next = await api.get<P>(further)
        // Those before it may have been asked for anew meanwhile.
        setRest((held) => ({
          of: path,
          pages: [...(held.of === path ? held.pages.slice(0, pages.length) : NONE), next]
        }))
        reached.set(path, pages.length + 1)
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
