import type { ComponentChildren, RefObject } from "preact"

/** A text as it is, in a box of its own that scrolls; the keyboard reaches it, so that it can be read to its end. */
export const Pre = ({
  label,
  class: named,
  boxRef,
  children
}: {
  readonly label: string
  readonly class?: string | undefined
  readonly boxRef?: RefObject<HTMLElement | null> | undefined
  readonly children: ComponentChildren
}) => (
  <section
    class={`output ${named ?? ""}`}
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to take the focus to be scrolled by keys
    tabIndex={0}
    aria-label={label}
    ref={boxRef as RefObject<HTMLElement>}
  >
    <pre>{children}</pre>
  </section>
)
