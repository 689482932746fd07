import { Fragment, options, type VNode } from "preact"

// They turn the direction of all that follows; marks of single letters (LRM, RLM, ALM) turn nothing and stay.
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g

/** A text in which what would turn its direction is seen and turns nothing: `[U+202E]`. */
export const visible = (text: string): string =>
  text.replace(TURNING, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`)

const seen = (child: unknown): unknown =>
  typeof child === "string" ? visible(child) : Array.isArray(child) ? child.map(seen) : child

/** Sees to it that no text on the page turns the direction of its own or of what stands beside it, whoever wrote it. */
export const showTurns = (): void => {
  const before = options.vnode
  options.vnode = (vnode: VNode) => {
    if (typeof vnode.type === "string" || vnode.type === Fragment) {
      const props = vnode.props as { children?: unknown }
      if (typeof props.children === "string" || Array.isArray(props.children))
        props.children = seen(props.children)
    }
    before?.(vnode)
  }
}
