import { useEffect, useState } from "preact/hooks"
import type { Known, Touches } from "./Records.ts"
import { useWorld } from "./World.ts"

const never: Touches = () => false

/** What an address answers, kept fresh by the events that touch it; nothing is asked for without one. */
export const useRecord = <A>(path: string | undefined, touches: Touches = never): Known<A> => {
  const { records } = useWorld()
  const [, draw] = useState({})
  useEffect(
    () => (path === undefined ? undefined : records.use(path, touches, () => draw({}))),
    [path, records]
  )
  return path === undefined ? { data: undefined, error: undefined, at: 0 } : (records.peek(path) as Known<A>)
}
