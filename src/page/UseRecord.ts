import { useEffect, useState } from "preact/hooks"
import type { Known, Touches } from "./Records.ts"
import { useWorld } from "./World.ts"

const NOTHING = { data: undefined, error: undefined, at: 0 }

const never: Touches = () => false

/** What an address answers, kept fresh by the events that touch it; nothing is asked for without one. */
export const useRecord = <A>(path: string | undefined, touches: Touches = never): Known<A> => {
  const { records } = useWorld()
  const [, draw] = useState({})
  const drawn = path === undefined ? undefined : records.peek(path)
  useEffect(() => {
    if (path === undefined) return
    const stop = records.use(path, touches, () => draw({}))
    // Another part may have been answered after this one was drawn and before it listened.
    if (records.peek(path) !== drawn) draw({})
    return stop
  }, [path, records])
  return drawn === undefined ? NOTHING : (drawn as Known<A>)
}
