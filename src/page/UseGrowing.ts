import type { RefObject } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

/**
 * How many rows of a long list are drawn: `step`, and as many again whenever its end, a box behind them, comes near; as
 * far as the row that is `sought` in any case, where one is.
 */
export const useGrowing = (
  count: number,
  step: number,
  sought = -1
): { readonly shown: number; readonly end: RefObject<HTMLDivElement | null> } => {
  const end = useRef<HTMLDivElement>(null)
  const [grown, setShown] = useState(step)
  const shown = Math.max(grown, Math.ceil((sought + 1) / step) * step)
  // It grows only: what was drawn stays when that row moves up.
  useEffect(() => setShown(shown), [shown])
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
