import type { RefObject } from "preact"
import { useLayoutEffect, useState } from "preact/hooks"

/** How wide a box is drawn (px), now and later: what is drawn for it keeps its size, text above all. */
export const useWidth = (box: RefObject<Element | null>, until: number): number => {
  const [width, setWidth] = useState(until)
  useLayoutEffect(() => {
    const drawn = box.current
    if (drawn === null) return
    const measure = () => {
      // A folded box has no width; it is drawn again when it is opened.
      if (drawn.clientWidth > 0) setWidth(drawn.clientWidth)
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(drawn)
    return () => observer.disconnect()
  }, [box])
  return width
}
