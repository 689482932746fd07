import type { RefObject } from "preact"
import { useLayoutEffect, useState } from "preact/hooks"

/** Whether a box shows less than it holds, now and when its width or its text becomes another one. */
export const useIsCut = (box: RefObject<Element | null>, text: string): boolean => {
  const [isCut, setCut] = useState(false)
  useLayoutEffect(() => {
    const drawn = box.current
    if (drawn === null) return
    const measure = () => setCut(drawn.scrollHeight > drawn.clientHeight + 1)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(drawn)
    return () => observer.disconnect()
  }, [box, text])
  return isCut
}
