import { useEffect, useRef, useState } from "preact/hooks"

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
  readonly set: (text: string) => void
}) => {
  // Of one kind or the other: Preact has a type for each, and none for both.
  const attributes: object = { type, ...given }
  const [text, setText] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
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
    if (next.trim() !== value) latest.current(next.trim())
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
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          event.preventDefault()
          commit(event.currentTarget.value)
        }
      }}
    />
  )
}
