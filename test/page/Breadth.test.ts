import { Database } from "bun:sqlite"
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { inPlace, queue } from "../e2e/inPlace.ts"
import { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { hindrances } from "./axe.ts"
import { listening, openBrowser, type Server, scene, startServer } from "./stage.ts"

setDefaultTimeout(400_000)

const withBrowser = needs("chromium")

let place: Place
let server: Server
let browser: Awaited<ReturnType<typeof openBrowser>>
let paths: ReadonlyArray<string>

const post = (path: string, body: unknown) =>
  fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })

const scheduled = (name: string, enabled: boolean) => ({
  name,
  interval_seconds: 305,
  enabled,
  task: { kind: "heartbeat", source: "schedule", payload: {} }
})

const flood = (n: number) => ({
  sensor_id: "flood",
  event_id: String(n),
  source_ref: "test",
  dedupe_key: String(n),
  payload: { n }
})

/** A runtime with something of everything. */
const furnished = async (): Promise<ReadonlyArray<string>> => {
  await post("/api/schedules", scheduled("heartbeat", true))
  await post("/api/schedules", scheduled("off for now", false))
  await post("/api/workflows", {
    template: "goal-loop",
    instance_key: "cut the bill",
    context: { summary: "x" }
  })
  await post("/api/workflows", { template: "community-research", instance_key: "wiki" })
  await post("/api/sensors/events", flood(0))
  for (const label of ["before", "after"]) await post("/api/snapshots", { label })
  await queue(place, {
    source: "operator",
    subject: "Watch the pressure for an hour",
    payload: { do: "long" }
  })
  await queue(place, { source: "operator", subject: "Renew the certificate", payload: { do: "heal" } })
  await queue(place, { source: "operator", subject: "Look at the pump", payload: { message: "Look at it." } })
  await queue(place, { source: "operator", subject: "Restart a pump", payload: { do: "which" } })
  const later = await queue(place, {
    source: "operator",
    subject: "Write the weekly report",
    schedule: { delay_minutes: 90 }
  })
  const done = async (): Promise<ReadonlyArray<{ readonly task_id: string }>> => {
    const found = await fetch(`${server.url}/api/tasks?kind=note&status=completed,blocked`)
    const { tasks } = (await found.json()) as { readonly tasks: ReadonlyArray<{ readonly task_id: string }> }
    return tasks.length < 3 ? done() : tasks
  }
  const ended = await done()
  return [
    "/",
    ...["blocked", "now", "queue", "done", "tasks?status=blocked", "workflows", "schedules"].map(
      (view) => `/ui/${view}`
    ),
    ...["sensors", "adapters", "usage", "events", "snapshots", "workflows/1", "no-such-view"].map(
      (view) => `/ui/${view}`
    ),
    ...[...ended.map(({ task_id }) => task_id), later, "0190b0c0-0000-7000-8000-000000000000"].map(
      (id) => `/ui/tasks/${id}`
    )
  ]
}

beforeAll(async () => {
  if (Bun.which("chromium") === null) return
  place = await Place.make(scene())
  server = await startServer(place, "up")
  browser = await openBrowser()
  paths = await furnished()
})

afterAll(async () => {
  await browser?.browser.close()
  await server?.stop("SIGKILL")
  await place?.remove()
})

const shown = async (page: Page, path: string) => {
  await page.goto(server.url + path)
  await page.getByRole("status").getByText("live").waitFor()
  await page.locator("main :is(h1, h2)").first().waitFor()
  await page.getByText("Loading…").first().waitFor({ state: "detached" })
}

const media = [
  { colorScheme: "light", forcedColors: "none", reducedMotion: "no-preference" },
  { colorScheme: "dark", forcedColors: "none", reducedMotion: "reduce" },
  { colorScheme: "dark", forcedColors: "active", reducedMotion: "reduce" }
] as const

withBrowser("axe finds nothing in any view, light, dark or in forced colours", async () => {
  const { context, page } = await browser.open(server.url)
  for (const one of media) {
    await page.emulateMedia(one)
    for (const path of paths) {
      await shown(page, path)
      expect({ path, ...one, found: await hindrances(page) }).toEqual({ path, ...one, found: [] })
    }
  }
  await context.close()
})

withBrowser("nothing scrolls sideways from 320 px (400 % of 1280) to 1920 px", async () => {
  for (const width of [320, 360, 700, 1_100, 1_920]) {
    const { context, page } = await browser.open(server.url, { viewport: { width, height: 800 } })
    for (const path of paths) {
      await shown(page, path)
      const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
      expect({ width, path, over }).toEqual({ width, path, over: 0 })
    }
    await context.close()
  }
})

withBrowser("two tabs share one stream, and the one that is left goes on with it", async () => {
  const { context, page } = await browser.open(server.url)
  const streams: Array<string> = []
  context.on("request", (request) => {
    if (request.url().endsWith("/api/stream")) streams.push(request.frame().url())
  })
  await shown(page, "/ui/events")
  const other = await context.newPage()
  await shown(other, "/ui/queue")
  expect(streams).toHaveLength(1)
  await page.close()
  await other.getByRole("status").getByText("live").waitFor()
  await queue(place, { subject: "told to the tab that was left", schedule: { delay_minutes: 60 } })
  await other.getByRole("link", { name: "told to the tab that was left" }).waitFor()
  expect(streams).toHaveLength(2)
  await context.close()
})

/** Events as another process writes them: so many a second, for so long. */
const flooding = async (perSecond: number, seconds: number): Promise<void> => {
  const db = new Database(place.path("state", "runtime.db"))
  db.run("PRAGMA busy_timeout = 5000")
  const add = db.prepare(
    `INSERT INTO run_events (event_type, actor_json, detail_json, created_at)
     VALUES ('sensor_event_recorded', '{"surface":"sensor","name":"flood"}', ?, ?)`
  )
  const several = db.transaction((from: number, count: number) => {
    for (let n = from; n < from + count; n++) add.run(`{"n":${n}}`, new Date().toISOString())
  })
  const began = performance.now()
  let written = 0
  while (written < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, ((performance.now() - began) / 1_000) * perSecond)
    if (due - written >= 1) {
      several(written, Math.floor(due - written))
      written += Math.floor(due - written)
    }
    await Bun.sleep(20)
  }
  db.close()
}

/** Begins to measure the longest task of a page's script, and sees to it that what is measured is seen at all. */
const measured = async (page: Page): Promise<() => Promise<number>> => {
  await page.evaluate(`
    globalThis.longest = 0
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration)
    }).observe({ type: "longtask" })`)
  await page.evaluate(
    "setTimeout(() => { const until = performance.now() + 120; while (performance.now() < until); })"
  )
  await page.waitForFunction("longest >= 100")
  await page.evaluate("longest = 0")
  return async () => Number(await page.evaluate("longest"))
}

/** 200 ms are promised; the machine of the test may have other things to do. */
const MOST_LONG_MS = 500

const tell = (what: string, longest: number): void => {
  if (process.env.AGENT_RUNTIME_TEST_TOLD !== undefined)
    process.stderr.write(`${what}: longest task ${longest} ms\n`)
}

withBrowser(
  "30 s of 1,000 events a second leave the page usable, and nothing of them is missed",
  async () => {
    const { context, page } = await browser.open(server.url)
    await shown(page, "/ui/events")
    const longest = await measured(page)
    await flooding(1_000, 30)
    await page
      .getByText(/of the newest/)
      .filter({ hasText: "5,000" })
      .waitFor()
    const held = page.locator(".windowed li")
    await held.filter({ hasText: "n 29999" }).waitFor()
    expect(await held.count()).toBeLessThan(200)
    // The newest ones stand one below the other, each once.
    const shownNow = (await held.allTextContents())
      .slice(0, 12)
      .map((text) => Number(/n (\d+)$/.exec(text)?.[1]))
    expect(shownNow).toEqual(Array.from({ length: shownNow.length }, (_, at) => 29_999 - at))
    expect(await longest()).toBeLessThan(MOST_LONG_MS)
    tell("events", await longest())
    // What is older than what came in a flood can be had as well.
    await page.getByRole("button", { name: "Look further back" }).click()
    await page
      .getByText(/of the newest/)
      .filter({ hasText: "6,000" })
      .waitFor()
    await context.close()
  }
)

withBrowser(
  "such a flood leaves Home, the list of tasks and a task's story as usable and as true",
  async () => {
    const story = paths.find((path) => path.startsWith("/ui/tasks/")) ?? "/"
    const title = async (page: Page) => page.locator("main h1").first().textContent()
    const pages = []
    for (const path of ["/", "/ui/tasks", story]) {
      const { context, page } = await browser.open(server.url)
      page.setDefaultTimeout(20_000)
      await shown(page, path)
      pages.push({ path, context, page, heading: await title(page), longest: await measured(page) })
    }
    const flood = flooding(1_000, 30)
    // Of each kind one happens in the midst of it, and is there when it has happened.
    const id = await queue(place, { source: "operator", subject: "in the midst of a flood", payload: {} })
    for (const { page, path } of pages)
      if (path !== story)
        await page.getByRole("link", { name: "in the midst of a flood" }).first().waitFor({ timeout: 20_000 })
    await flood
    for (const { context, heading, longest, page, path } of pages) {
      expect({ path, isLive: await page.getByRole("status").textContent() }).toEqual({ path, isLive: "live" })
      expect(await title(page)).toBe(heading)
      expect(Math.min(MOST_LONG_MS, await longest())).toBeLessThan(MOST_LONG_MS)
      tell(path, await longest())
      // A story has the events of its task alone.
      if (path === story)
        expect(await page.getByRole("region", { name: "Events" }).getByText("Sensor event").count()).toBe(0)
      await context.close()
    }
    expect(id).not.toBe("")
  }
)

withBrowser("a history that was pruned while the page was offline is not told any more", () =>
  inPlace(scene({ retention: { eventDays: 1, completedDays: 1 } }), async (own) => {
    let serving = await startServer(own, "serve")
    const { context, page } = await browser.open(`${serving.url}/ui/events`)
    const push = (event: string) =>
      fetch(`${serving.url}/api/sensors/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          sensor_id: "s",
          event_id: event,
          source_ref: event,
          dedupe_key: event,
          payload: {}
        })
      })
    const told = (count: number) => page.getByText(`${count} of the newest ${count}, newest first.`).waitFor()
    await page.getByRole("status").getByText("live").waitFor()
    for (const event of ["a", "b", "c"]) await push(event)
    await told(3)
    await serving.stop()
    await page
      .getByRole("status")
      .getByText(/reconnecting|offline/)
      .waitFor()
    const { port } = serving
    // More happens that the page does not hear of, and all of it becomes old.
    serving = await startServer(own, "serve")
    for (const event of ["d", "e"]) await push(event)
    await serving.stop()
    const db = new Database(own.path("state", "runtime.db"))
    const trigger = db
      .query<{ sql: string }, []>("SELECT sql FROM sqlite_schema WHERE name = 'run_events_append_only'")
      .get()
    db.run("DROP TRIGGER run_events_append_only")
    db.run("UPDATE run_events SET created_at = '2020-01-01T00:00:00.000Z'")
    db.run(trigger?.sql ?? "")
    db.close()
    expect(await own.json(["prune"])).toMatchObject({ events: 5 })
    serving = await startServer(own, "serve", ["--port", String(port)])
    await push("f")
    await page.getByRole("status").getByText("live").waitFor({ timeout: 20_000 })
    await told(1)
    await push("g")
    await told(2)
    // What is pruned while the page listens goes from it with the next thing that happens.
    const old = await queue(own, { subject: "long gone" })
    await own.json(["task-cancel", old])
    await page.getByRole("link", { name: "All tasks", exact: true }).click()
    await page.getByRole("link", { name: "long gone" }).click()
    await page.getByRole("heading", { name: "long gone" }).waitFor()
    const aging = new Database(own.path("state", "runtime.db"))
    aging.run(
      `UPDATE tasks SET created_at = '2020-01-01T00:00:00.000Z', finished_at = '2020-01-01T00:00:00.000Z'`
    )
    aging.close()
    expect(await own.json(["prune"])).toMatchObject({ tasks: 1 })
    await push("h")
    await page.getByRole("heading", { name: "No such task" }).waitFor()
    await context.close()
    await serving.stop()
  })
)

withBrowser("what an agent did is told step by step on its task's page", async () =>
  inPlace(
    {
      ...scene({
        defaultAdapter: "coder",
        adapters: { coder: { mode: "agent-cli", driver: "codex", command: "./codex.sh", workingDir: "." } }
      }),
      files: {
        "codex.sh": `#!/bin/sh
[ "$1" = --version ] && { echo "codex-cli 0.50.0"; exit 0; }
cat > /dev/null
cat tool.jsonl
`,
        "tool.jsonl": await Bun.file(join(import.meta.dir, "../../fixtures/agents/codex/tool.jsonl")).text()
      }
    },
    async (own) => {
      const up = await startServer(own, "up")
      const id = await queue(own)
      const { context, page } = await browser.open(`${up.url}/ui/tasks/${id}`)
      const steps = page.getByRole("region", { name: "Agent steps" })
      await steps.getByText("1 step of the agent").waitFor()
      await steps.getByRole("listitem").getByText("shell").waitFor()
      await steps.getByText(/printf 'written by the stub tool call/).waitFor()
      expect(await hindrances(page)).toEqual([])
      await context.close()
      await up.stop()
    }
  )
)

withBrowser("at 360 px every view can be reached", async () => {
  const { context, page } = await browser.open(server.url, { viewport: { width: 360, height: 740 } })
  for (const path of paths) {
    await shown(page, path)
    expect(await page.getByRole("link", { name: "Snapshots", exact: true }).isVisible()).toBe(true)
  }
  await context.close()
})

test("from source the page is there without a step of its own, and not heavier than 60 KB", async () => {
  const source = await Place.make(scene({ http: { port: 0 } }))
  const root = join(import.meta.dir, "..", "..")
  const web = Bun.spawn([process.execPath, "run", join(root, "src", "web.ts")], {
    env: { ...process.env, AGENT_RUNTIME_CONFIG: source.path("runtime.json") },
    stdout: "ignore",
    stderr: "pipe"
  })
  try {
    const url = await listening(web.stderr)
    const html = await (await fetch(url)).text()
    const script = /src="([^"]+)"/.exec(html)?.[1] ?? ""
    const packed = await fetch(url + script, { headers: { "accept-encoding": "gzip" }, decompress: false })
    expect(packed.headers.get("content-encoding")).toBe("gzip")
    expect((await packed.bytes()).length).toBeLessThan(60 * 1_024)
  } finally {
    web.kill()
    await web.exited
    await source.remove()
  }
})

withBrowser("the first view is there within 200 ms, its files kept by the browser", async () => {
  const { context, page } = await browser.open(server.url)
  await shown(page, "/")
  const asked: Array<string> = []
  page.on("request", (request) => asked.push(new URL(request.url()).pathname))
  await page.goto(server.url)
  await page.getByRole("heading", { name: "Blocked", exact: true }).waitFor()
  // Rows are told together; only what runs is asked for by itself.
  await page.getByRole("list", { name: "Waiting tasks" }).getByText(/moves/).first().waitFor()
  const running = await page.getByRole("list", { name: "Running tasks" }).locator("a[data-row]").count()
  expect(new Set(asked.filter((path) => path.startsWith("/api/tasks/"))).size).toBe(running)
  const took = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
  // 200 ms are promised; the machine of the test may have other things to do.
  expect(Number(took)).toBeLessThan(600)
  expect(
    await page.evaluate(
      "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/assets/page')).map(({ transferSize }) => transferSize)"
    )
  ).toEqual([0, 0])
  await context.close()
})
