import { Database } from "bun:sqlite"
import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test"
import { Place } from "../support/binary.ts"
import { isLong } from "../support/breadth.ts"
import { needs } from "../support/needs.ts"
import { hindrances } from "./axe.ts"
import { openBrowser, type Server, scene, scrolledTo, startServer } from "./stage.ts"

setDefaultTimeout(30_000)

const withBrowser = needs("chromium")

let place: Place
let server: Server
let browser: Awaited<ReturnType<typeof openBrowser>>

/** Twelve types of events by twelve actors; those of type 7 are the fewest. */
const EVENTS = `
  WITH RECURSIVE each(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM each WHERE n < 300)
  INSERT INTO run_events (event_type, task_id, actor_json, detail_json, created_at)
  SELECT 'type_' || iif(n = 0, 7, CASE n % 12 WHEN 7 THEN 1 ELSE n % 12 END),
    iif(n % 2 = 0, '0190b0c0-0000-7000-8000-00000000000' || (n % 4), NULL),
    '{"surface":"cli","name":"actor-' || (n % 12) || '"}', '{"n":' || n || '}', '2026-04-29T12:00:00.000Z'
  FROM each`

const written = (sql: string): void => {
  const db = new Database(place.path("state", "runtime.db"))
  db.run("PRAGMA busy_timeout = 5000")
  db.run(sql)
  db.close()
}

beforeAll(async () => {
  if (Bun.which("chromium") === null) return
  place = await Place.make(scene())
  server = await startServer(place, "serve")
  browser = await openBrowser()
  written(EVENTS)
})

afterAll(async () => {
  expect(browser?.complaints ?? []).toEqual([])
  await browser?.browser.close()
  await server?.stop("SIGKILL")
  await place?.remove()
})

const seen = async (path: string, width = 1_280, height = 800) => {
  const page = await browser.visit(server.url + path, width, height)
  await page.getByRole("status").getByText("live").waitFor()
  return page
}

withBrowser(
  "filters of events are chips: pressed to add one, each taken away by its own button",
  async () => {
    const page = await seen("/ui/events")
    const button = (name: string) => page.getByRole("button", { name, exact: true })
    const focused = (name: string) => button(name).and(page.locator(":focus")).waitFor()
    const types = page.getByRole("group", { name: "Type" })
    const told = (count: number) => page.getByText(`${count} of the newest 301, newest first.`).waitFor()
    await told(301)
    // The most frequent stand there, the others behind a button.
    expect(await types.getByRole("button").count()).toBe(9)
    expect(await types.getByRole("button", { name: "Type 7" }).count()).toBe(0)
    await types.getByRole("button", { name: "Type 1", exact: true }).press("Enter")
    await page.waitForURL(/events\?type=type_1$/)
    await told(50)
    await types.getByRole("button", { name: "4 more types" }).press("Enter")
    await types.getByRole("button", { name: "Type 7" }).press(" ")
    await page.waitForURL(/type=type_1%2Ctype_7$/)
    await told(51)
    expect(await types.getByRole("button", { pressed: true }).allTextContents()).toEqual(["Type 1", "Type 7"])
    // A row's actor is one key away, and so is each of the three from the chosen row.
    const row = page.locator(".windowed li").filter({ hasText: "n 300" })
    expect(await row.count()).toBe(0)
    await page
      .locator(".windowed li")
      .first()
      .getByRole("button", { name: "Only actor actor-7" })
      .press("Enter")
    await page.waitForURL(/actor=actor-7/)
    await told(25)
    const chips = page.getByRole("list", { name: "Filters in force" })
    expect(await chips.getByRole("listitem").allTextContents()).toEqual([
      "type Type 1×",
      "type Type 7×",
      "actor actor-7×",
      "Clear"
    ])
    expect(await hindrances(page)).toEqual([])
    // The one beside it has the focus, and behind the last one the heading.
    await button("Remove the filter type type_7").press("Enter")
    await focused("Remove the filter actor actor-7")
    await page.keyboard.press("Enter")
    await focused("Remove the filter type type_1")
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Events" }).and(page.locator(":focus")).waitFor()
    await page.waitForURL(/\/ui\/events$/)
    await told(301)
    await page.goBack()
    await told(50)
    await button("Clear").press("Enter")
    await told(301)
  }
)

withBrowser("on a phone the chips of an address wrap, and a chosen event narrows to its like", async () => {
  const task = "0190b0c0-0000-7000-8000-000000000000"
  const page = await seen(`/ui/events?task=0190b0c0&type=type_0&actor=actor-0`, 360, 640)
  const chips = page.getByRole("list", { name: "Filters in force" })
  expect(await chips.getByRole("button", { name: /^Remove the filter/ }).count()).toBe(3)
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0)
  await page.locator(".windowed .type").first().press("Enter")
  const chosen = page.getByRole("region", { name: "Chosen event" })
  await chosen.getByRole("button", { name: "Only this task" }).press("Enter")
  await page.waitForURL((url) => url.searchParams.get("task") === task)
  await chips.getByRole("button", { name: `Remove the filter task ${task}` }).waitFor()
  expect(await chosen.getByRole("button", { pressed: true }).allTextContents()).toEqual([
    "Only this type",
    "Only this task",
    "Only this actor"
  ])
  // What is chosen from is folded away until somebody wants it.
  const groups = page.getByRole("group", { name: "Actor" })
  expect(await groups.count()).toBe(0)
  await page.getByText("Filters", { exact: true }).click()
  await groups.getByRole("button", { name: "actor-3", exact: true }).click()
  await page.waitForURL(/actor=actor-3/)
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0)
})

const uuid = (n: number) => `0190b0c0-0000-7000-8000-${String(n).padStart(12, "0")}`

/** Tasks with these numbers; those that were queued last have stood longest where they stand. */
const tasks = (status: "blocked" | "pending", kind: string, from: number, to: number) => `
  WITH RECURSIVE each(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM each WHERE n < ${to})
  INSERT INTO tasks (task_id, kind, source, subject, priority, payload_json, max_attempts, status, created_at,
    updated_at, available_at, lane, created_by_json, ready, last_error)
  SELECT printf('0190b0c0-0000-7000-8000-%012d', n), '${kind}', 'test', '${kind} ' || n, 5, '{}', 3, '${status}',
    strftime('%Y-%m-%dT%H:%M:%fZ', 1777440000 - n, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', 1777450000 + n, 'unixepoch'),
    '2026-04-29T12:00:00.000Z', '[null,null,0]', '{"surface":"cli","name":"test"}', ${status === "pending" ? 1 : 0},
    ${status === "blocked" ? "'the key is missing'" : "NULL"}
  FROM each`

/** An answer tells 100 of them: of some more the rest is asked for once, of many it is asked for twice, and drawn by and by. */
const STUCK = isLong ? 260 : 130

withBrowser("of more blocked tasks than are told at once those come first that wait longest", async () => {
  written(tasks("blocked", "stuck", 1, STUCK))
  const page = await seen("/")
  const subjects = (list: string) =>
    page.getByRole("list", { name: list }).locator("a.subject").allTextContents()
  const stuck = (count: number) => Array.from({ length: count }, (_, at) => `stuck ${at + 1}`)
  await page.getByRole("link", { name: `${STUCK} need you` }).waitFor()
  await page.getByRole("link", { name: "stuck 1", exact: true }).waitFor()
  expect(await subjects("Blocked tasks and workflows")).toEqual(stuck(10))
  await page.getByRole("link", { name: "Blocked", exact: true }).click()
  await page.getByText(`${STUCK} tasks cannot go on without you. Oldest first.`).waitFor()
  for (let told = 100; told < STUCK; told += 100) {
    await page.getByRole("link", { name: `stuck ${told}`, exact: true }).waitFor()
    expect(await subjects("Blocked tasks and workflows")).toEqual(stuck(told))
    await page.getByRole("button", { name: "Show more" }).click()
  }
  await scrolledTo(page, "main a.subject", STUCK)
  expect(await subjects("Blocked tasks and workflows")).toEqual(stuck(STUCK))
  await page.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" })
  // What is blocked now comes last, and what was moved on in the midst of it goes.
  written(tasks("blocked", "stuck", STUCK + 1, STUCK + 1))
  const moved = await fetch(`${server.url}/api/tasks/${uuid(113)}/cancel`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}"
  })
  expect(moved.ok).toBe(true)
  await page.getByRole("link", { name: `stuck ${STUCK + 1}`, exact: true }).waitFor()
  await page.getByRole("link", { name: "stuck 113", exact: true }).waitFor({ state: "detached" })
  expect(await subjects("Blocked tasks and workflows")).toEqual(
    stuck(STUCK + 1).filter((subject) => subject !== "stuck 113")
  )
  // Back from one far down, its row has the focus: as many pages are asked for, as many rows are drawn.
  const far = page.getByRole("link", { name: `stuck ${STUCK - 5}`, exact: true })
  await far.press("Enter")
  await page.getByRole("heading", { name: `stuck ${STUCK - 5}` }).waitFor()
  await page.keyboard.press("Escape")
  await far.and(page.locator(":focus")).waitFor()
})

withBrowser("back from a row beyond the first 200 of one answer that row has the focus", async () => {
  written(tasks("pending", "waits", 1_001, 1_300))
  const page = await seen("/ui/queue")
  const rows = page.getByRole("list", { name: "Waiting tasks" }).locator("a.subject")
  await rows.nth(199).waitFor()
  expect(await rows.count()).toBe(200)
  const far = page.getByRole("link", { name: "waits 1010", exact: true })
  await scrolledTo(page, "main a.subject", 300)
  await far.focus()
  // Where the window is scrolled to is kept by the browser, and may be elsewhere.
  await page.evaluate("scrollTo(0, 0)")
  await page.keyboard.press("Enter")
  await page.getByRole("heading", { name: "waits 1010" }).waitFor()
  await page.goBack()
  await far.and(page.locator(":focus")).waitFor()
  expect(await rows.count()).toBe(300)
  // The next key goes on from there.
  await page.keyboard.press("j")
  await page.getByRole("link", { name: "waits 1009", exact: true }).and(page.locator(":focus")).waitFor()
})

withBrowser(
  "of many schedules those near are drawn, and only what became of those in sight is asked for",
  async () => {
    written(`
    WITH RECURSIVE each(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < 301)
    INSERT INTO schedules (schedule_id, name, enabled, interval_seconds, next_run_at, overlap, task_json,
      created_by_json, created_at, updated_at)
    SELECT printf('0190b0c0-0000-7000-8001-%012d', n), printf('each %03d', n), 1, 3600, '2027-04-29T12:00:00.000Z',
      'skip', '{"kind":"look","source":"test","payload":{}}', '{"surface":"cli","name":"test"}',
      '2026-04-29T12:00:00.000Z', '2026-04-29T12:00:00.000Z'
    FROM each`)
    const page = await seen("/")
    const asked: Array<string> = []
    const listen = (request: { url: () => string }) => {
      const name = /\/api\/schedules\/([^/]+)$/.exec(request.url())?.[1]
      if (name !== undefined) asked.push(decodeURIComponent(name))
    }
    page.on("request", listen)
    const rows = page.locator("li.schedule")
    const told = (name: string) => rows.filter({ hasText: name }).getByText("It was not due yet.").waitFor()
    const saved = async (name: string) => {
      const body = JSON.stringify({
        name,
        interval_seconds: 7_200,
        task: { kind: "look", source: "test", payload: {} }
      })
      const headers = { "content-type": "application/json" }
      expect((await fetch(`${server.url}/api/schedules`, { method: "POST", headers, body })).status).toBe(201)
      await rows.filter({ hasText: name }).getByText("every 2 h").waitFor()
    }
    await page.getByRole("link", { name: "Schedules", exact: true }).click()
    for (const name of ["each 001", "each 002", "each 003"]) await told(name)
    expect(await rows.count()).toBe(40)
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked.length).toBeLessThan(30)
    // An event of one asks for that one; of one out of sight it asks for none.
    asked.length = 0
    await saved("each 040")
    const again = page.waitForRequest(/\/api\/schedules\/each%20001$/)
    await saved("each 001")
    await again
    expect(asked).toEqual(["each 001"])
    // All are there for whoever looks for them.
    await scrolledTo(page, "li.schedule", 301)
    await told("each 301")
    page.off("request", listen)
  }
)

withBrowser(
  "how long until something is told by the server's clock, whatever that of the browser says",
  async () => {
    const next = new Date(Date.now() + 150 * 60_000).toISOString()
    const saved = await fetch(`${server.url}/api/schedules`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        name: "a soon one",
        interval_seconds: 7_200,
        next_run_at: next,
        task: { kind: "look", source: "test", payload: {} }
      })
    })
    expect(saved.status).toBe(201)
    const { context, page } = await browser.open("about:blank")
    // The second stands upon the first: three hours ahead, then three behind.
    for (const hours of [3, -6]) {
      await page.addInitScript(
        `{ const now = Date.now; Date.now = () => now.call(Date) + ${hours} * 3_600_000 }`
      )
      await page.goto(`${server.url}/ui/schedules`)
      const row = page.locator("li.schedule").filter({ hasText: "a soon one" })
      await row.getByText(/^in 2 h/).waitFor()
    }
    await context.close()
  }
)

withBrowser(
  "of one task all events are searched, those beyond the newest as well, and new ones come in",
  async () => {
    const id = "0190b0c0-0000-7000-8000-000000001001"
    const event = (type: string) => `
    INSERT INTO run_events (event_type, task_id, actor_json, detail_json, created_at)
    VALUES ('${type}', '${id}', '{"surface":"cli","name":"test"}', '{}', '2026-04-29T12:00:00.000Z');`
    written(event("old_one") + event("old_two"))
    written(`
    WITH RECURSIVE each(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < 1100)
    INSERT INTO run_events (event_type, task_id, actor_json, detail_json, created_at)
    SELECT 'later', NULL, '{"surface":"cli","name":"test"}', '{}', '2026-04-29T12:00:00.000Z' FROM each`)
    const page = await seen(`/ui/events?task=${id}`)
    await page.getByText(`2 of all 2 of task ${id.slice(0, 13)}, newest first.`).waitFor()
    written(event("new_one"))
    await page.getByText(`3 of all 3 of task ${id.slice(0, 13)}, newest first.`).waitFor()
    await page.goto(`${server.url}/ui/events?task=${id.slice(0, 35)}1&type=old_two`)
    await page.getByText(`1 of all 3 of task ${id.slice(0, 13)}, newest first.`).waitFor()
    // Where several tasks begin so, or none does any more, it is said what was searched.
    await page.goto(`${server.url}/ui/events?task=${id.slice(0, 20)}`)
    await page
      .getByText(/ of the newest 1,000, newest first\. More of a task's id searches all its events\./)
      .waitFor()
    await page.goto(`${server.url}/ui/events?task=0190b0c0-dead`)
    await page.getByText("No task's id begins so any more; only these were searched.").waitFor()
  }
)

withBrowser("what held a schedule back is told as what was, once that task has ended", async () => {
  written(tasks("pending", "holds", 2_001, 2_001))
  written(`
    INSERT INTO schedules (schedule_id, name, enabled, interval_seconds, next_run_at, overlap, task_json,
      created_by_json, created_at, updated_at)
    VALUES ('0190b0c0-0000-7000-8002-000000000001', 'a held one', 1, 3600, '2027-04-29T12:00:00.000Z', 'skip',
      '{"kind":"look","source":"test","payload":{}}', '{"surface":"cli","name":"test"}',
      '2026-04-29T12:00:00.000Z', '2026-04-29T12:00:00.000Z');
    INSERT INTO schedule_fates (schedule_id, first_due_at, last_due_at, missed, fate, task_id, reason, evaluated_at)
    SELECT '0190b0c0-0000-7000-8002-000000000001', due, due, 0, fate, task, reason, due FROM (
      SELECT '2026-04-29T12:00:00.000Z' AS due, 'fired' AS fate, '${uuid(2_001)}' AS task, NULL AS reason
      UNION ALL SELECT '2026-04-29T13:00:00.000Z', 'skipped_overlap', NULL, 'its last task ${uuid(2_001)} is queued')`)
  const page = await seen("/ui/schedules")
  const row = page.locator("li.schedule").filter({ hasText: "a held one" })
  await row.getByText(/Skipped 1 time since, because its last task is unfinished/).waitFor()
  const canceled = await fetch(`${server.url}/api/tasks/${uuid(2_001)}/cancel`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}"
  })
  expect(canceled.ok).toBe(true)
  await row.getByText(/Skipped 1 time since, because its last task was unfinished/).waitFor()
})

withBrowser("the timeline of a parent leads to the follow-up that it made", async () => {
  written(`${tasks("pending", "parent", 3_001, 3_001)};${tasks("pending", "follow", 3_002, 3_002)}`)
  written(`
    UPDATE tasks SET parent_task_id = '${uuid(3_001)}' WHERE task_id = '${uuid(3_002)}';
    INSERT INTO run_events (event_type, task_id, actor_json, detail_json, created_at)
    VALUES ('follow_up_created', '${uuid(3_001)}', '{"surface":"dispatch","name":"test"}',
      '{"follow_up_task_id":"${uuid(3_002)}"}', '2026-04-29T12:00:00.000Z')`)
  const page = await seen(`/ui/tasks/${uuid(3_001)}`)
  const moment = page.getByRole("list", { name: "Timeline" }).getByText("Created follow-up follow 3002")
  await moment.getByRole("link", { name: "follow 3002" }).click()
  await page.getByRole("heading", { name: "follow 3002" }).waitFor()
})
