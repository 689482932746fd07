import type { RefObject } from "preact"
import { useLayoutEffect } from "preact/hooks"

/** Tells the style sheet (as `--top`) how much of the window what stays on top of it takes. */
export const useTop = (box: RefObject<HTMLElement | null>): void =>
  useLayoutEffect(() => {
    const top = box.current
    if (top === null) return
    const tell = () => {
      // On a phone a part of it is scrolled out of sight.
      const hidden = Math.min(0, Number.parseFloat(getComputedStyle(top).top) || 0)
      document.documentElement.style.setProperty("--top", `${top.offsetHeight + hidden}px`)
    }
    const observer = new ResizeObserver(tell)
    observer.observe(top)
    return () => observer.disconnect()
  }, [box])
