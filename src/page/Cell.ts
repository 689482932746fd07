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
