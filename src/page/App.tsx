import { useEffect, useLayoutEffect, useRef } from "preact/hooks"
import { listen } from "./Keys.ts"
import { Aside } from "./parts/Aside.tsx"
import { Dialog } from "./parts/Dialog.tsx"
import { Link } from "./parts/Link.tsx"
import { KeysDialog, NoticeBar } from "./parts/Notices.tsx"
import { Rail } from "./parts/Rail.tsx"
import { Bands, Strip } from "./parts/Strip.tsx"
import { Title } from "./parts/Title.tsx"
import { focusWhenThere, keepFocus } from "./Return.ts"
import { leafHref, type Route, type View } from "./Route.ts"
import { useCell } from "./UseCell.ts"
import { useTop } from "./UseTop.ts"
import { Adapters } from "./views/Adapters.tsx"
import { Events } from "./views/Events.tsx"
import { Home } from "./views/Home.tsx"
import { Blocked, Done, Now, Queue } from "./views/Lists.tsx"
import { Login } from "./views/Login.tsx"
import { Schedules } from "./views/Schedules.tsx"
import { Sensors } from "./views/Sensors.tsx"
import { Snapshots } from "./views/Snapshots.tsx"
import { Tasks } from "./views/Tasks.tsx"
import { TaskView } from "./views/TaskView.tsx"
import { Usage } from "./views/Usage.tsx"
import { Workflows } from "./views/Workflows.tsx"
import { WorkflowView } from "./views/WorkflowView.tsx"
import { useTitle, useWorld } from "./World.ts"

const DRAWN: Readonly<Record<View, () => preact.JSX.Element>> = {
  home: Home,
  blocked: Blocked,
  now: Now,
  queue: Queue,
  done: Done,
  tasks: Tasks,
  workflows: Workflows,
  schedules: Schedules,
  sensors: Sensors,
  adapters: Adapters,
  usage: Usage,
  events: Events,
  snapshots: Snapshots
}

const Place = ({ route }: { readonly route: Route }) => {
  if (route.at === "task") return <TaskView key={route.id} id={route.id} />
  if (route.at === "workflow") return <WorkflowView key={route.id} id={route.id} />
  if (route.at === "view") {
    const Drawn = DRAWN[route.view]
    return <Drawn />
  }
  return <Nowhere path={route.path} />
}

const Nowhere = ({ path }: { readonly path: string }) => {
  useTitle("Nothing here")
  return (
    <>
      <h1 tabIndex={-1}>Nothing here</h1>
      <p class="nothing">
        <code>{path}</code> is no view of this page. <Link href="/">Go home</Link>.
      </p>
    </>
  )
}

const placeOf = (route: Route): string =>
  route.at === "view" ? route.view : route.at === "nowhere" ? route.path : `${route.at} ${route.id}`

/** The page. */
export const App = () => {
  const world = useWorld()
  const route = useCell(world.route)
  const locked = useCell(world.locked)
  const asked = useCell(world.ask)
  const keys = useCell(world.keysShown)
  const main = useRef<HTMLElement>(null)
  const top = useRef<HTMLDivElement>(null)
  useTop(top)
  const place = placeOf(route)
  const seen = useRef(place)
  useEffect(() => listen(world), [world])
  useEffect(keepFocus, [])
  // A new place is announced by its heading, except where somebody is typing (search while the list changes).
  useLayoutEffect(() => {
    if (seen.current === place) return
    seen.current = place
    const isTyping = document.activeElement instanceof HTMLInputElement
    if (isTyping || main.current === null) return
    // Back in a list the row has it that was opened, so that the next key goes on from there.
    const left = world.sought.get()
    const row = left === undefined ? [] : [`main a[data-row][href="${CSS.escape(leafHref(left))}"]`]
    focusWhenThere([...row, ...(row.length === 0 ? ["main h1:not(.hidden)"] : [])], main.current)
  }, [place])
  const isCovered = asked !== undefined || keys
  return (
    <>
      <Title />
      <div class="page" inert={isCovered} aria-hidden={isCovered ? "true" : undefined}>
        <a class="skip" href="#main">
          Skip to what matters
        </a>
        <div class="top" ref={top}>
          <Strip />
          {locked ? null : <Bands />}
        </div>
        <div class={locked ? "" : `body ${route.at === "task" ? "with-aside" : ""}`}>
          {locked ? null : <Rail />}
          {locked || route.at !== "task" ? null : <Aside />}
          <main id="main" tabIndex={-1} ref={main}>
            {locked ? <Login /> : <Place route={route} />}
          </main>
        </div>
        <NoticeBar />
      </div>
      <Dialog />
      <KeysDialog />
    </>
  )
}
