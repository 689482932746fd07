import { useEffect, useId, useRef } from "preact/hooks"
import { draw } from "../Diagram.ts"
import { useCell } from "../UseCell.ts"
import { useMedia } from "../UseMedia.ts"
import { useWidth } from "../UseWidth.ts"
import type { Template } from "../WireTemplates.ts"
import { moment } from "../Words.ts"
import { useWorld } from "../World.ts"

/** A machine as a picture of one size: where there is not the room for it, it scrolls in a box of its own; what it shows is said in words beside it. */
export const Machine = ({
  template,
  current,
  status,
  taken,
  whole = false
}: {
  readonly template: Template
  readonly current?: string | undefined
  readonly status?: string | undefined
  /** The ways that were gone; when, is in the list beside it as well. */
  readonly taken?:
    | ReadonlyArray<{ readonly from: string; readonly to: string; readonly at: string }>
    | undefined
  /** All of it is shown, however high that makes it; else a row of a list stays low. */
  readonly whole?: boolean | undefined
}) => {
  const isNarrow = useMedia("(max-width: 700px)")
  const { now, utc: isUtc } = useWorld()
  const utc = useCell(isUtc)
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const across = draw(template, false)
  const room = useWidth(box, Math.ceil(across.width))
  const isDown = isNarrow || (whole && room < across.width)
  const { edges, height, nodeHeight, nodes, nodeWidth, width } = isDown ? draw(template, true) : across
  const scrolls = room < Math.ceil(width)
  // What is not the present state may be out of sight.
  useEffect(() => {
    const state = box.current?.querySelector(".current")
    if (!scrolls || box.current === null || !state) return
    const { left, right } = state.getBoundingClientRect()
    const here = box.current.getBoundingClientRect()
    box.current.scrollLeft += (left + right) / 2 - (here.left + here.right) / 2
  }, [scrolls, current])
  const words = `${template.name}: ${nodes.map(({ name }) => name).join(", ")}${current === undefined ? "" : `. Now in ${current}`}`
  return (
    // What scrolls has to take the focus to be scrolled by keys.
    <div
      class="machine-box"
      ref={box}
      {...(scrolls ? { tabIndex: 0, role: "group", "aria-label": `Diagram of ${template.name}` } : {})}
    >
      <svg
        class={`machine ${status ?? ""}`}
        viewBox={`0 0 ${Math.ceil(width)} ${Math.ceil(height)}`}
        width={Math.ceil(width)}
        height={Math.ceil(height)}
        role="img"
        aria-label={words}
      >
        <defs>
          <marker
            id={id}
            viewBox="0 0 8 8"
            refX="3"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            markerUnits="userSpaceOnUse"
            orient="auto-start-reverse"
          >
            <path d="M0 0 8 4 0 8Z" class="tip" />
          </marker>
        </defs>
        {edges.map(({ anchor, from, labelX, labelY, lines, path, to }) => {
          const times = (taken ?? []).filter((way) => way.from === from && way.to === to)
          return (
            <g key={`${from} ${to}`} class={times.length > 0 ? "edge taken" : "edge"}>
              {times.length === 0 ? null : (
                <title>{times.map(({ at }) => moment(at, now.get(), utc)).join(", ")}</title>
              )}
              <path d={path} marker-end={`url(#${id})`} />
              {lines.map((line, at) => (
                <text key={line} x={labelX} y={labelY - (lines.length - 1 - at) * 13} text-anchor={anchor}>
                  {line}
                </text>
              ))}
            </g>
          )
        })}
        {nodes.map(({ isEnd, lines, name, x, y }) => (
          <g key={name} class={`node ${name === current ? "current" : ""} ${isEnd ? "end" : ""}`}>
            <rect x={x} y={y} width={nodeWidth} height={nodeHeight} rx={isEnd ? nodeHeight / 2 : 6} />
            {lines.map((line, at) => (
              <text
                key={line}
                x={x + nodeWidth / 2}
                y={y + nodeHeight / 2 + 4 + (at - (lines.length - 1) / 2) * 14}
                text-anchor="middle"
              >
                {line}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </div>
  )
}
