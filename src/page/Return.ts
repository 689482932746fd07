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

/** Where the focus is, in so many words that a place near it is found when its element is gone. */
export interface Spot {
  readonly element: HTMLElement
  /** What it stands in, the nearest first. */
  readonly around: ReadonlyArray<Element>
  /** Its row: the task that it is of, and which one of its list it is. */
  readonly row: { readonly list: Element; readonly task: string | undefined; readonly at: number } | undefined
}

/** The spot of an element; none where nothing has the focus. */
export const spotOf = (element: Element | null): Spot | undefined => {
  if (!(element instanceof HTMLElement) || element === document.body) return undefined
  const around: Array<Element> = []
  for (let one = element.parentElement; one !== null; one = one.parentElement) around.push(one)
  const item = element.closest(".rows > li")
  const list = item?.parentElement
  return {
    element,
    around,
    row:
      item === null || list === null || list === undefined
        ? undefined
        : {
            list,
            task: item.querySelector<HTMLElement>("a[data-row]")?.dataset.row,
            at: [...list.children].indexOf(item)
          }
  }
}

const canHaveFocus = (element: HTMLElement): boolean => element.isConnected && !element.matches(":disabled")

/** The nearest to a spot: the same task in its list, else the row that moved up to its place, else the heading above. */
const nearest = ({ around, row }: Spot): HTMLElement | undefined => {
  if (row?.list.isConnected === true) {
    const links = [...row.list.children].map((item) => item.querySelector<HTMLElement>("a[data-row]"))
    const found =
      links.find((link) => row.task !== "" && link?.dataset.row === row.task) ??
      links[Math.min(row.at, links.length - 1)]
    if (found !== undefined && found !== null) return found
  }
  for (const one of around) {
    if (!one.isConnected) continue
    if (one instanceof HTMLElement && one.tabIndex >= 0) return one
    const heading = one.querySelector<HTMLElement>("h1, h2")
    if (heading !== null) return heading
  }
  return undefined
}

/** Gives the focus back to a spot, or to what is nearest to it by now. */
export const focusAt = (spot: Spot | undefined): void => {
  if (spot === undefined) return
  const target = canHaveFocus(spot.element) ? spot.element : nearest(spot)
  // A heading takes the focus only from here: Tab goes by it.
  if (target !== undefined && target.tabIndex < 0) target.tabIndex = -1
  target?.focus()
}

/**
 * Keeps the focus near where it was when what had it goes, or can no longer be pressed: without this it would fall to
 * the page as a whole. Whoever leaves a thing by themselves is left alone. Answers how to stop.
 */
export const keepFocus = (): (() => void) => {
  let last: Spot | undefined
  const isLost = (): boolean => {
    const { activeElement } = document
    return activeElement === null || activeElement === document.body || activeElement === last?.element
  }
  const mend = () => {
    if (last === undefined || canHaveFocus(last.element) || !isLost()) return
    focusAt(last)
  }
  const came = () => {
    last = spotOf(document.activeElement)
  }
  const left = () =>
    // What takes the focus away by going is not yet gone when this is told.
    setTimeout(() => {
      mend()
      if (document.hasFocus() && document.activeElement === document.body) last = undefined
    })
  const changes = new MutationObserver(mend)
  changes.observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["disabled"]
  })
  document.addEventListener("focusin", came)
  document.addEventListener("focusout", left)
  return () => {
    changes.disconnect()
    document.removeEventListener("focusin", came)
    document.removeEventListener("focusout", left)
  }
}
