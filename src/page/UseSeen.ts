import type { RefObject } from "preact"
import { useEffect, useState } from "preact/hooks"

/** Whether a box can be seen, or is about to be: what is far away asks for nothing. */
export const useSeen = (box: RefObject<Element | null>): boolean => {
  const [isSeen, setSeen] = useState(false)
  useEffect(() => {
    const drawn = box.current
    if (drawn === null) return
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting === true), {
      rootMargin: "200px"
    })
    observer.observe(drawn)
    return () => observer.disconnect()
  }, [box])
  return isSeen
}
