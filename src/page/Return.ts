/** How long it is waited for what is to have the focus: a list that is asked for first. */
const PATIENCE_MS = 3_000

/**
 * Gives the focus to the first of these that is there, now or as soon as it is drawn, and to the frame until then.
 * It is taken from nobody who moved on meanwhile.
 */
export const focusWhenThere = (selectors: ReadonlyArray<string>, frame: HTMLElement): void => {
  const isFree = () => [null, document.body, frame].includes(document.activeElement as HTMLElement | null)
  const tryNow = (): boolean => {
    const found = selectors.map((one) => document.querySelector<HTMLElement>(one)).find((one) => one !== null)
    found?.focus({ preventScroll: false })
    return found !== undefined
  }
  if (tryNow()) return
  frame.focus({ preventScroll: true })
  const changes = new MutationObserver(() => {
    if (!isFree() || tryNow()) changes.disconnect()
  })
  changes.observe(frame, { childList: true, subtree: true })
  setTimeout(() => changes.disconnect(), PATIENCE_MS)
}
