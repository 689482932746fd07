import { Fragment, options, type VNode } from "preact"
import { allVisible } from "./Visible.ts"

/** Sees to it that no text on the page turns the direction of its own or of what stands beside it, whoever wrote it. */
export const showTurns = (): void => {
  const before = options.vnode
  options.vnode = (vnode: VNode) => {
    if (typeof vnode.type === "string" || vnode.type === Fragment) {
      const props = vnode.props as { children?: unknown }
      if (typeof props.children === "string" || Array.isArray(props.children))
        props.children = allVisible(props.children)
    }
    before?.(vnode)
  }
}
