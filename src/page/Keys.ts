import { problem } from "./Api.ts"
import { failed } from "./Means.ts"
import { cancelAny, canRetry, pause, resume, retry } from "./Moves.ts"
import { VIEWS, viewHref } from "./Route.ts"
import type { Story } from "./Wire.ts"
import type { World } from "./World.ts"

/** What the keys do, for the page that shows it. */
export const KEYS: ReadonlyArray<readonly [keys: string, does: string]> = [
  ["/", "search tasks"],
  ["j k ↓ ↑", "move through a list"],
  ["Enter", "open what has the focus"],
  ["Esc", "go back, or close what is open"],
  ["r", "retry the task"],
  ["x", "cancel the task (it asks)"],
  ["n", "new task"],
  ["Ctrl Enter", "send what is written"],
  ["p", "pause (it asks for a reason) or resume"],
  ["?", "show these keys"],
  ...VIEWS.map(({ key, name }) => [`g ${key}`, `go to ${name}`] as const)
]

const CHAIN_MS = 1_500

/** Whether keys belong to what has the focus: it takes text, or moves by arrows itself. */
const takesKeys = (element: Element | null): boolean =>
  element instanceof HTMLElement &&
  (element.isContentEditable ||
    element.closest("dialog") !== null ||
    ["TEXTAREA", "SELECT"].includes(element.tagName) ||
    (element instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(element.type)))

/** The rows that keys move through: those of the view, else of the list beside the open task. */
const rows = (): ReadonlyArray<HTMLElement> => {
  const own = [...document.querySelectorAll<HTMLElement>("main a[data-row]")]
  return own.length > 0 ? own : [...document.querySelectorAll<HTMLElement>(".aside a[data-row]")]
}

const moveBy = (step: number): boolean => {
  const all = rows()
  if (all.length === 0) return false
  const here = document.activeElement?.closest("li")?.querySelector<HTMLElement>("a[data-row]")
  const at =
    here === null || here === undefined
      ? all.findIndex((row) => row.ariaCurrent === "page" || row.ariaCurrent === "true")
      : all.indexOf(here)
  const next =
    all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))]
  next?.focus()
  next?.scrollIntoView({ block: "nearest" })
  return true
}

/** The task that keys act on: that of the row with the focus, else the one that is open. */
const meant = (): string | undefined => {
  const row = document.activeElement?.closest("li")?.querySelector<HTMLElement>("a[data-row]")?.dataset.row
  const open = document.querySelector<HTMLElement>("[data-task]")?.dataset.task
  return row === undefined || row === "" ? open : row
}

const onTask = async (world: World, act: (story: Story) => void): Promise<void> => {
  const id = meant()
  if (id === undefined) {
    world.notice.set({ tone: "failed", text: "No task has the focus. Move to one with j and k." })
    return
  }
  try {
    act(await world.api.get<Story>(`/api/tasks/${encodeURIComponent(id)}`))
  } catch (error) {
    failed(world, problem(error))
  }
}

const focus = (selector: string): boolean => {
  const found = document.querySelector<HTMLElement>(selector)
  found?.focus()
  return found !== null
}

const goBack = (world: World): void => {
  if (world.notice.get() !== undefined) world.notice.set(undefined)
  else if (world.route.get().at === "task" || world.route.get().at === "workflow") {
    if (world.from.get() === undefined) world.go("/")
    else history.back()
  } else if (world.route.get().at !== "view" || location.pathname !== "/") world.go("/")
}

/** Listens to the keys of the whole page; answers how to stop. */
export const listen = (world: World): (() => void) => {
  let chain: number | undefined
  const newTask = () => {
    if (focus(".new-task textarea")) return
    world.go("/")
    requestAnimationFrame(() => setTimeout(() => focus(".new-task textarea"), 0))
  }
  const togglePause = () => {
    if (world.state.get()?.dispatch_paused.paused === true) void resume(world)
    else pause(world)
  }
  const acts: Readonly<Record<string, () => unknown>> = {
    "/": () => focus("input[type=search]"),
    "?": () => world.keysShown.set(!world.keysShown.get()),
    j: () => moveBy(1),
    ArrowDown: () => moveBy(1),
    k: () => moveBy(-1),
    ArrowUp: () => moveBy(-1),
    n: newTask,
    p: togglePause,
    r: () =>
      void onTask(world, ({ task }) => {
        if (canRetry(task)) void retry(world, task)
        else world.notice.set({ tone: "failed", text: "It has not ended: there is nothing to retry." })
      }),
    x: () => void onTask(world, ({ task }) => cancelAny(world, task)),
    Escape: () => goBack(world)
  }
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (world.ask.get() !== undefined || world.locked.get()) return
    if (world.keysShown.get()) {
      if (event.key === "Escape" || event.key === "?") {
        event.preventDefault()
        world.keysShown.set(false)
      }
      return
    }
    const { activeElement } = document
    if (takesKeys(activeElement)) {
      if (event.key === "Escape" && activeElement instanceof HTMLElement) {
        event.preventDefault()
        activeElement.blur()
      }
      return
    }
    const scrolls =
      activeElement?.matches(".output, .windowed, .machine-box") === true && event.key.startsWith("Arrow")
    if (scrolls) return
    if (chain !== undefined && event.timeStamp - chain < CHAIN_MS) {
      chain = undefined
      const view = VIEWS.find(({ key }) => key === event.key)
      // A letter that leads nowhere does nothing: it was not meant for what it does alone.
      if (view !== undefined || event.key.length === 1) {
        event.preventDefault()
        if (view !== undefined) world.go(viewHref(view.view))
        return
      }
    }
    chain = undefined
    if (event.key === "g") {
      chain = event.timeStamp
      return
    }
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : undefined
    if (act === undefined) return
    if (act() !== false) event.preventDefault()
  }
  document.addEventListener("keydown", pressed)
  return () => document.removeEventListener("keydown", pressed)
}
