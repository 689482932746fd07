import { useCell } from "../UseCell.ts"
import { duration, moment, relative } from "../Words.ts"
import { useKnownNow, useNow, useWorld } from "../World.ts"

/** A moment as people say it; the exact one is beside it for those who listen, and on focus of its row. */
export const Ago = ({ at }: { readonly at: string }) => {
  const now = useNow()
  const utc = useCell(useWorld().utc)
  const exact = moment(at, now, utc)
  return (
    <time class="ago" dateTime={at} title={exact}>
      {relative(Date.parse(at), now)}
      <span class="exact"> {exact}</span>
    </time>
  )
}

/** The exact moment. */
export const At = ({ at }: { readonly at: string }) => {
  const { now, utc } = useWorld()
  return (
    <time class="at" dateTime={at}>
      {moment(at, now.get(), useCell(utc))}
    </time>
  )
}

/** How long something has taken so far; it counts on while nothing ended it. */
export const Elapsed = ({ from, to }: { readonly from: string; readonly to?: string | null | undefined }) => {
  const now = useKnownNow()
  const until = to === null || to === undefined ? now : Date.parse(to)
  return <span class="num">{duration(Math.max(0, until - Date.parse(from)))}</span>
}
