import { useLayoutEffect, useState } from "preact/hooks"

/** A value that changes, and those who want to know. */
export interface Cell<A> {
  readonly get: () => A
  readonly set: (next: A) => void
  /** Calls back after each change; answers how to stop it. */
  readonly watch: (listener: () => void) => () => void
}

export const cell = <A>(initial: A): Cell<A> => {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return
      value = next
      for (const listener of [...listeners]) listener()
    },
    watch: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    }
  }
}

/** The present value of a cell; the component is drawn again when it changes. */
export const useCell = <A>(from: Cell<A>): A => {
  const [, draw] = useState({})
  const drawn = from.get()
  useLayoutEffect(() => {
    const stop = from.watch(() => draw({}))
    // It may have changed after it was drawn and before it was watched.
    if (!Object.is(drawn, from.get())) draw({})
    return stop
  }, [from])
  return drawn
}
