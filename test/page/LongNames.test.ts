import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test"
import { chmod } from "node:fs/promises"
import type { Page } from "playwright-core"
import { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { openBrowser, type Server, scene, startServer, until } from "./stage.ts"

setDefaultTimeout(30_000)

const withBrowser = needs("chromium")

/** A name of so many characters in which no line can be broken. */
const long = (most: number): string =>
  "nightly_backup_of_the_production_database_eu_west_1_".repeat(4).slice(0, most)

const TOKEN = "the-token-of-the-night-shift-1234567890"

/** A task of a place in which whatever has a name has one of the longest that are taken. */
const TASK = { kind: long(200), source: long(200), payload: { message: "look at it" } }

const template = {
  name: long(100),
  initial_state: "first",
  states: {
    first: {
      task: { kind: "go", payload: { do: "heal" } },
      advance_on: { go: long(100) },
      retry_limit: 0,
      on: { [long(100)]: long(99), other: long(98) }
    },
    [long(99)]: { task: { kind: long(200), payload: {} }, complete_on: [long(200)] },
    [long(98)]: {}
  }
}

const config = {
  runtimeName: long(200),
  adapters: {
    local: { mode: "script", command: "./run.sh", fallbackAdapter: long(200) },
    [long(200)]: { mode: "script", command: "./missing.sh" }
  },
  budgets: [
    { id: long(200), per: "all", window: "day", attempts: 50 },
    { id: "by-adapter", per: "adapter", window: "day", attempts: 50 }
  ],
  workflows: { [long(100)]: "template.json" },
  http: { loopbackRole: "none", tokens: [{ name: long(100), role: "operate", tokenFile: "night.token" }] }
}

let place: Place
let server: Server
let browser: Awaited<ReturnType<typeof openBrowser>>

const headers = { "content-type": "application/json", authorization: `Bearer ${TOKEN}` }

const post = async (path: string, body: unknown): Promise<void> => {
  const told = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) })
  expect([path, told.ok ? "taken" : await told.text()]).toEqual([path, "taken"])
}

/** The places of all tasks. */
const stories = async (): Promise<ReadonlyArray<string>> => {
  const found = await fetch(`${server.url}/api/tasks`, { headers })
  const { tasks } = (await found.json()) as { readonly tasks: ReadonlyArray<{ readonly task_id: string }> }
  return tasks.map(({ task_id }) => `tasks/${task_id}`)
}

const furnish = async (): Promise<void> => {
  await post("/api/tasks", { ...TASK, requested_adapter: long(200) })
  for (const name of [long(191), "short"])
    await post("/api/schedules", {
      name,
      cron: "0 9 * * *",
      timezone: "America/Argentina/ComodRivadavia",
      task: { ...TASK, source: long(175) }
    })
  for (const n of [199, 200])
    await post("/api/workflows", { template: long(100), instance_key: long(n), context: { by: long(200) } })
  await post(`/api/workflows/2/transition`, { state: long(99) })
  await post("/api/sensors/events", {
    sensor_id: long(100),
    event_id: long(200),
    source_ref: long(200),
    dedupe_key: "one",
    payload: { pump: long(200) }
  })
  await post("/api/snapshots", { label: long(100) })
  await post("/api/snapshots", { label: long(99) })
}

beforeAll(async () => {
  if (Bun.which("chromium") === null) return
  const { files, ...usual } = scene(config)
  place = await Place.make({
    ...usual,
    files: { ...files, "template.json": JSON.stringify(template), "night.token": TOKEN }
  })
  await chmod(place.path("night.token"), 0o600)
  server = await startServer(place, "up")
  browser = await openBrowser()
  await furnish()
  const page = await browser.visit(`${server.url}/login`)
  await page.context().request.post(`${server.url}/login`, { data: { token: TOKEN } })
})

afterAll(async () => {
  await browser?.browser.close()
  await server?.stop("SIGKILL")
  await place?.remove()
})

/** What reaches beyond the window, innermost last; what scrolls or is cut by itself does not. */
const BEYOND = `[...document.querySelectorAll(".page, .page *")].filter((one) =>
  getComputedStyle(one).overflowX === "visible" && one.scrollWidth > one.clientWidth + 1 &&
  one.getBoundingClientRect().left + one.scrollWidth > innerWidth + 1
).map((one) => one.tagName + "." + one.className).slice(-4)`

const shown = async (path: string, width: number): Promise<Page> => {
  const page = await browser.visit(server.url + path, width, 800)
  await page.getByRole("status").getByText("live").waitFor()
  await loaded(page)
  return page
}

/** All that a view asks for is there. */
const loaded = (page: Page) => until(page, "document.querySelector('.loading') === null")

const VIEWS = ["blocked", "now", "queue", "done", "tasks", "workflows", "workflows/1", "workflows/2"]
const OTHERS = ["schedules", "sensors", "adapters", "usage", "events", "snapshots", long(200)]

withBrowser("no view is wider than its window, however long a name is that is taken", async () => {
  const page = await shown("/", 360)
  for (const path of ["/", ...[...VIEWS, ...OTHERS, ...(await stories())].map((view) => `/ui/${view}`)]) {
    // From view to view as by the navigation, which takes a tenth of the time of coming anew.
    await page.evaluate(
      `history.pushState(null, "", ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent("popstate"))`
    )
    for (const width of [360, 1_280]) {
      await page.setViewportSize({ width, height: 800 })
      await loaded(page)
      const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
      const beyond = await page.evaluate(BEYOND)
      expect({ path, width, over, beyond }).toEqual({ path, width, over: 0, beyond: [] })
    }
  }
})

withBrowser("a button and its dialog name where a workflow goes, and stay within the window", async () => {
  const page = await shown("/ui/workflows/1", 360)
  for (const to of [long(99), long(98)]) {
    const button = page.getByRole("button", { name: `Go to ${to}`, exact: true })
    await button.click()
    const dialog = page.getByRole("dialog")
    await dialog.getByRole("heading", { name: `Move 1 workflow to ${to}?` }).waitFor()
    const beside = await page.evaluate(
      "[...document.querySelectorAll('dialog[open], dialog[open] *')].filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline').map((one) => one.tagName)"
    )
    expect(beside).toEqual([])
    await page.keyboard.press("Escape")
    await button.and(page.locator(":focus")).waitFor()
  }
})

withBrowser("beside a long name of the runtime the strip says since when its dispatcher runs", async () => {
  const page = await shown("/", 1_280)
  const [since, search] = await Promise.all(
    [".strip .since", ".strip .search"].map((part) => page.locator(part).boundingBox())
  )
  expect(since!.x + since!.width).toBeLessThanOrEqual(search!.x)
})

withBrowser("the name of a token stands within the navigation, and all of it is told", async () => {
  for (const width of [360, 1_280]) {
    const page = await shown("/ui/blocked", width)
    const rail = await page.getByRole("navigation", { name: "Views" }).boundingBox()
    const way = page.getByRole("button", { name: `Sign out ${long(100)}`, exact: true })
    expect(await way.textContent()).toBe(`${long(100)}: sign out`)
    await page.locator(".rail .count").first().waitFor()
    for (const one of [way, ...(await page.locator(".rail .count").all())]) {
      const { width: own = 0, x = -1 } = (await one.boundingBox()) ?? {}
      expect({ x, isWithin: x >= rail!.x && x + own <= rail!.x + rail!.width }).toEqual({ x, isWithin: true })
    }
    const cut = "((one) => one.scrollWidth - one.clientWidth)(document.querySelector('.rail-foot').lastChild)"
    expect(await page.evaluate(cut)).toBe(0)
  }
})
