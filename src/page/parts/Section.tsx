import type { ComponentChildren } from "preact"
import { useId } from "preact/hooks"

/** A named region of a view. */
export const Section = ({
  name,
  count,
  more,
  class: named,
  children
}: {
  readonly name: string
  readonly count?: ComponentChildren
  /** What stands at the end of the heading's line. */
  readonly more?: ComponentChildren
  readonly class?: string | undefined
  readonly children: ComponentChildren
}) => {
  const id = useId()
  return (
    <section class={`section ${named ?? ""}`} aria-labelledby={id}>
      <header class="section-head">
        <h2 id={id}>{name}</h2>
        {count === undefined ? null : <span class="count num">{count}</span>}
        {more === undefined ? null : <span class="more">{more}</span>}
      </header>
      {children}
    </section>
  )
}

/** The head of a view: its name, what it holds, and what can be done with all of it. */
export const ViewHead = ({
  name,
  lead,
  children
}: {
  readonly name: string
  readonly lead?: ComponentChildren
  readonly children?: ComponentChildren
}) => (
  <header class="view-head">
    <h1 tabIndex={-1}>{name}</h1>
    {lead === undefined ? null : <p class="lead muted">{lead}</p>}
    {children === undefined ? null : <p class="buttons">{children}</p>}
  </header>
)
