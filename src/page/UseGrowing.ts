import type { RefObject } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

/** How many rows of a long list are drawn: `step`, and as many again whenever its end, a box behind them, comes near. */
export const useGrowing = (
  count: number,
  step: number
): { readonly shown: number; readonly end: RefObject<HTMLDivElement | null> } => {
  const end = useRef<HTMLDivElement>(null)
  const [shown, setShown] = useState(step)
  const isShort = shown < count
  useEffect(() => {
    const drawn = end.current
    if (!isShort || drawn === null) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setShown(shown + step)
      },
      { rootMargin: "600px" }
    )
    observer.observe(drawn)
    return () => observer.disconnect()
  }, [shown, isShort, step])
  return { shown, end }
}
