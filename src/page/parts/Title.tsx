import { useEffect } from "preact/hooks"
import { useCell } from "../UseCell.ts"
import { useNeeds } from "../UseStalled.ts"
import { useWorld } from "../World.ts"

/** The title of the window: how many need somebody, as the page says it, the name of the view, whose runtime it is. */
export const Title = () => {
  const world = useWorld()
  const name = useCell(world.title)
  const runtime = useCell(world.state)?.runtime_name ?? "agent-runtime"
  const needs = useNeeds()
  useEffect(() => {
    document.title = `${needs > 0 ? `(${needs}) ` : ""}${name === "" ? "" : `${name} · `}${runtime}`
  }, [name, needs, runtime])
  return null
}
