import type { ComponentChildren } from "preact"
import { useWorld } from "../World.ts"
import { useObject } from "./Act.tsx"

/** A link within the page: an address that can be opened anywhere, followed here without a reload. */
export const Link = ({
  href,
  children,
  class: named,
  current,
  row,
  id,
  describedBy
}: {
  readonly href: string
  readonly children: ComponentChildren
  readonly class?: string | undefined
  readonly current?: boolean | undefined
  /** The task that the keys act on while this link has the focus. */
  readonly row?: string | undefined
  readonly id?: string | undefined
  readonly describedBy?: string | undefined
}) => {
  const world = useWorld()
  const object = useObject()
  return (
    <a
      id={id}
      href={href}
      class={named}
      aria-current={current === true ? "page" : undefined}
      aria-describedby={describedBy ?? object}
      data-row={row}
      onClick={(event) => {
        if (event.defaultPrevented || event.button !== 0) return
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        world.go(href)
      }}
    >
      {children}
    </a>
  )
}
