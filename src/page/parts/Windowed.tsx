import type { ComponentChildren, RefObject } from "preact"
import { useLayoutEffect, useState } from "preact/hooks"
import { useMedia } from "../UseMedia.ts"
import { windowOf } from "./Window.ts"

/** A list of rows of one height, of which only those are drawn that can be seen. */
export const Windowed = <A,>({
  items,
  keyOf,
  row,
  label,
  boxRef
}: {
  readonly items: ReadonlyArray<A>
  readonly keyOf: (item: A) => string | number
  readonly row: (item: A) => ComponentChildren
  readonly label: string
  readonly boxRef: RefObject<HTMLElement | null>
}) => {
  const height = useMedia("(max-width: 700px)") ? 56 : 28
  const [place, setPlace] = useState({ scrolled: 0, seen: 800 })
  useLayoutEffect(() => {
    const box = boxRef.current
    if (box === null) return
    const look = () => setPlace({ scrolled: box.scrollTop, seen: box.clientHeight })
    look()
    box.addEventListener("scroll", look, { passive: true })
    const sizes = new ResizeObserver(look)
    sizes.observe(box)
    return () => {
      box.removeEventListener("scroll", look)
      sizes.disconnect()
    }
  }, [boxRef])
  const { before, behind, from, to } = windowOf(place.scrolled, place.seen, height, items.length)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to take the focus to be scrolled by keys
    <section class="windowed" ref={boxRef as RefObject<HTMLElement>} tabIndex={0} aria-label={label}>
      <div style={{ height: `${before}px` }} />
      <ol start={from + 1} aria-label={label}>
        {items.slice(from, to).map((item) => (
          <li key={keyOf(item)}>{row(item)}</li>
        ))}
      </ol>
      <div style={{ height: `${behind}px` }} />
    </section>
  )
}
