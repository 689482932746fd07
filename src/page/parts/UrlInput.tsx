import { useEffect, useRef, useState } from "preact/hooks"

/** What is typed on within so long is one change: the step back goes before all of it. */
const SETTLES_MS = 2_000

/**
 * A text that stands in the address. While somebody types it is theirs: what else happens on the page does not touch
 * it, and the address has it when they pause, press Enter or leave.
 */
export const UrlInput = ({
  value,
  set,
  type = "text",
  ...given
}: {
  readonly type?: "text" | "search"
  readonly id?: string
  readonly placeholder?: string
  readonly "aria-label"?: string
  readonly "aria-keyshortcuts"?: string
  readonly value: string
  /** `isSame`: it goes on with the change before it, which has not settled yet. */
  readonly set: (text: string, isSame: boolean) => void
}) => {
  // Of one kind or the other: Preact has a type for each, and none for both.
  const attributes: object = { type, ...given }
  const [text, setText] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const setAt = useRef(0)
  const latest = useRef(set)
  latest.current = set
  // The address changed by itself: back, a link, another filter cleared.
  useEffect(() => {
    if (timer.current === undefined) setText(value)
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const commit = (next: string) => {
    clearTimeout(timer.current)
    timer.current = undefined
    if (next.trim() === value) return
    const isSame = Date.now() - setAt.current < SETTLES_MS
    setAt.current = Date.now()
    latest.current(next.trim(), isSame)
  }
  return (
    <input
      autocomplete="off"
      spellcheck={false}
      {...attributes}
      value={text}
      onInput={(event) => {
        const next = event.currentTarget.value
        setText(next)
        clearTimeout(timer.current)
        timer.current = setTimeout(() => commit(next), 250)
      }}
      onBlur={() => {
        if (timer.current !== undefined) commit(text)
        setAt.current = 0
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          event.preventDefault()
          commit(event.currentTarget.value)
          setAt.current = 0
        }
      }}
    />
  )
}
