import { useLayoutEffect, useState } from "preact/hooks"
import type { Cell } from "./Cell.ts"

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
