import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test"
import { rm, writeFile } from "node:fs/promises"
import type { Page } from "playwright-core"
import { queue } from "../e2e/inPlace.ts"
import { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { hindrances } from "./axe.ts"
import { MARKUP, openBrowser, type Server, scene, startServer } from "./stage.ts"

setDefaultTimeout(60_000)

const withBrowser = needs("chromium")
const hasBrowser = Bun.which("chromium") !== null

let place: Place
let server: Server
let browser: Awaited<ReturnType<typeof openBrowser>>
let page: Page

beforeAll(async () => {
  if (!hasBrowser) return
  place = await Place.make(scene({ budgets: [{ id: "a-day", per: "all", window: "day", attempts: 500 }] }))
  server = await startServer(place, "up")
  browser = await openBrowser()
  page = (await browser.open(server.url)).page
})

afterAll(async () => {
  await browser?.browser.close()
  await server?.stop()
  await place?.remove()
})

const region = (name: string) => page.getByRole("region", { name, exact: true })
const button = (name: string) => page.getByRole("button", { name, exact: true })
const heading = (name: string) => page.getByRole("heading", { name, exact: true })
const link = (name: string) => page.getByRole("link", { name, exact: true })
const dialog = () => page.getByRole("dialog")

const home = async () => {
  await page.goto(server.url)
  await page.getByRole("status").getByText("live").waitFor()
}

const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
  const told = await fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  expect(told.ok).toBe(true)
  return (await told.json()) as Record<string, unknown>
}

/** Writes a new task into the page as an operator does. */
const ask = async (text: string) => {
  await page.getByRole("textbox", { name: "New task" }).fill(text)
  await button("Queue task").click()
}

withBrowser("the first screen names what an operator looks for, and says that it is live", async () => {
  await home()
  for (const name of ["Blocked", "Now", "Queue", "Done"]) await heading(name).waitFor()
  const views = "Blocked Now Queue Done Workflows Schedules Sensors Adapters Events Snapshots"
  for (const name of views.split(" ")) expect(await link(name).count()).toBe(1)
  expect(await page.getByRole("searchbox", { name: "Search tasks" }).count()).toBe(1)
  expect(await page.getByRole("status").textContent()).toBe("live")
})

withBrowser("a task that is queued runs by itself and tells its story on its own address", async () => {
  await home()
  await ask("Look at the pump\nand tell what it says")
  await region("Done").getByRole("link", { name: "Look at the pump" }).click()
  await heading("Look at the pump").waitFor()
  expect(page.url()).toMatch(/\/ui\/tasks\/[0-9a-f-]{36}$/)
  for (const name of ["Attempts", "Events", "Bundle", "Output", "Artifacts"]) await heading(name).waitFor()
  await region("stdout").getByText("first line").waitFor()
  await region("stderr").getByText("said on stderr").waitFor()
  // On paper there is nothing to press.
  await page.emulateMedia({ media: "print" })
  for (const name of ["Pause", "Retry", "Send reply"]) expect(await button(name).isVisible()).toBe(false)
  expect(await page.getByRole("textbox").count()).toBe(0)
  for (const box of [page.getByRole("main"), region("About")])
    expect((await box.boundingBox())?.width).toBeGreaterThan(1_200)
  await page.emulateMedia({ media: null })
  await button("Show prompt").click()
  await region("Prompt").getByText("Do what the task says.").waitFor()
  await page.getByRole("textbox", { name: "Find in output" }).fill("asked")
  expect(await page.locator("mark").allTextContents()).toEqual(["asked"])
  await page.getByRole("textbox", { name: "Reply" }).fill("And the other one?")
  await button("Send reply").click()
  // A child appears by itself, and goes on by itself.
  await region("Children").getByText("completed").waitFor()
  await region("Children").getByRole("link", { name: "And the other one?" }).click()
  await region("About").getByRole("link", { name: "Look at the pump" }).click()
  await heading("Look at the pump").waitFor()
  for (const back of ["And the other one?", "Look at the pump", "Queue"]) {
    await page.goBack()
    await heading(back).waitFor()
  }
})

withBrowser("a running task is watched line by line and stopped after it was asked", async () => {
  await home()
  await ask("the long one")
  const row = region("Now").getByRole("listitem")
  await row.getByText(/line \d+ of the long one/).waitFor()
  await row.getByRole("link", { name: "the long one" }).click()
  const output = region("stdout")
  await output.getByText("line 3 of the long one").waitFor()
  expect(await button("Cancel").isDisabled()).toBe(true)
  await button("Force cancel").click()
  await dialog().getByText("Stop 1 running task?").waitFor()
  await dialog().getByRole("button", { name: "Back", exact: true }).click()
  await button("Force cancel").and(page.locator(":focus")).waitFor()
  await button("Force cancel").click()
  await dialog().getByRole("button", { name: "Force cancel", exact: true }).click()
  await page.getByRole("article").getByText("canceled", { exact: true }).first().waitFor()
  await region("Events").getByText("Task cancel requested").waitFor()
  // The button that had the focus is gone: what it was of has it.
  await heading("the long one").and(page.locator(":focus")).waitFor()
})

withBrowser("a blocked task says why; when the cause is gone a retry heals it", async () => {
  await home()
  await ask("heal me")
  const row = region("Blocked").getByRole("listitem").filter({ hasText: "heal me" })
  await row.getByText("The key is missing.").waitFor()
  await writeFile(place.path("healed"), "")
  await row.getByRole("button", { name: "Retry", description: "heal me" }).press("Enter")
  await heading("Blocked").and(page.locator(":focus")).waitFor()
  await region("Done").getByRole("link", { name: "heal me" }).waitFor()
  await region("Blocked")
    .getByText(/Nothing needs you\. Last blocked: /)
    .waitFor()
})

withBrowser(
  "a question is answered where it stands, and the next round goes on with the answer",
  async () => {
    await home()
    await ask("which pump is to be restarted?")
    const row = region("Blocked").getByRole("listitem").filter({ hasText: "Which pump?" })
    await row.getByRole("link", { name: "Answer", exact: true }).click()
    await button("the south one").click()
    await heading("which pump is to be restarted?").and(page.locator(":focus")).waitFor()
    await page.getByRole("article").getByText("restarted the south one").first().waitFor()
    await region("Timeline").getByText("Completed").waitFor()
  }
)

withBrowser("pause asks for a reason, shows it, and holds back until resume", async () => {
  await home()
  await button("Pause").click()
  await dialog().getByRole("textbox", { name: "Reason" }).fill("the pump is being repaired")
  await dialog().getByRole("button", { name: "Pause", exact: true }).click()
  await page.getByText(/the pump is being repaired · by loopback \(http\)/).waitFor()
  await ask("wait for me")
  await region("Queue")
    .getByText(/Paused: .*the pump is being repaired/)
    .waitFor()
  // Those stand first that would be taken first, not those that came last.
  const note = { kind: "note", source: "test", payload: {} }
  await post("/api/tasks", { ...note, subject: "first of all", priority: 9 })
  await post("/api/tasks", { ...note, subject: "last of all", priority: 1 })
  await region("Queue").getByRole("link", { name: "last of all" }).waitFor()
  expect(await region("Queue").locator("a.subject").allTextContents()).toEqual([
    "first of all",
    "wait for me",
    "last of all"
  ])
  // What moved while it was asked about is told in words of the page.
  await link("last of all").click()
  await button("Cancel").click()
  const id = page.url().split("/").at(-1)
  await post(`/api/tasks/${id}/cancel`, {})
  await dialog().getByRole("button", { name: "Cancel", exact: true }).click()
  await page.getByText("“last of all” is canceled by now: nothing was changed.").waitFor()
  await heading("last of all").and(page.locator(":focus")).waitFor()
  await home()
  await button("Resume").click()
  await region("Done").getByRole("link", { name: "wait for me" }).waitFor()
})

withBrowser("search and filters stand in the address, which shows another browser the same", async () => {
  await home()
  await page.getByRole("searchbox", { name: "Search tasks" }).fill("pump")
  await page.waitForURL(/\/ui\/tasks\?q=pump/)
  await page.getByRole("checkbox", { name: "completed" }).check()
  await page.waitForURL(/status=completed/)
  await link("Look at the pump").waitFor()
  const other = await browser.open(`${page.url()}&kind=&source=+`)
  await other.page.getByRole("link", { name: "Look at the pump", exact: true }).waitFor()
  expect(await other.page.getByRole("searchbox", { name: "Search tasks" }).inputValue()).toBe("pump")
  expect(await other.page.getByRole("link", { name: "heal me" }).count()).toBe(0)
  await other.context.close()
  // Each settled change is a step of its own to go back by.
  await page.goBack()
  await page.waitForURL(/\/ui\/tasks\?q=pump$/)
  expect(await page.getByRole("checkbox", { name: "completed" }).isChecked()).toBe(false)
})

withBrowser("many are canceled at once, after their count was shown", async () => {
  await post("/api/pause", { paused: true })
  for (const n of [1, 2, 3])
    await post("/api/tasks", { kind: "bulk", source: "test", subject: `bulk ${n}`, payload: {} })
  await page.goto(`${server.url}/ui/tasks?kind=bulk`)
  await link("bulk 3").waitFor()
  await button("Cancel matching").click()
  await dialog().getByText("Cancel 3 tasks?").waitFor()
  await dialog().getByText("Kind “bulk”.").waitFor()
  // One more comes in meanwhile: nothing is moved that was not asked about.
  await post("/api/tasks", { kind: "bulk", source: "test", subject: "bulk 4", payload: {} })
  await dialog().getByRole("button", { name: "Cancel matching", exact: true }).click()
  await dialog().getByText("Cancel 4 tasks?").waitFor()
  await dialog().getByRole("button", { name: "Cancel matching", exact: true }).click()
  await page.getByText("Canceled 4 tasks.").waitFor()
  await page.getByRole("listitem").filter({ hasText: "canceled" }).nth(2).waitFor()
  await page.getByRole("checkbox", { name: "canceled" }).check()
  await button("Cancel matching").waitFor({ state: "detached" })
  await button("Retry matching").click()
  await dialog().getByText("Retry 4 tasks?").waitFor()
  await dialog().getByRole("button", { name: "Back", exact: true }).click()
  await button("Retry matching").and(page.locator(":focus")).waitFor()
  await post("/api/pause", { paused: false })
})

withBrowser("a workflow is drawn with its present state and the ways that it went", async () => {
  await post("/api/workflows", {
    template: "goal-loop",
    instance_key: "drawn one",
    context: { summary: "x" }
  })
  await home()
  await link("Workflows").click()
  await link("drawn one").click()
  await heading("drawn one").waitFor()
  await page
    .getByRole("img", { name: /goal-loop: plan, execute, verify, complete\. Now in verify/ })
    .waitFor()
  expect(await page.locator(".edge.taken text").allTextContents()).toEqual(["plan_ready", "execute_ready"])
  await region("History").getByText("Task for plan queued").waitFor()
  await button("Retry its task").waitFor()
  // It stands still: that needs somebody, and is among what does.
  await home()
  await region("Blocked").getByRole("link", { name: "drawn one" }).waitFor()
  const needs = page.getByRole("link", { name: /^\d+ needs? you$/ })
  await needs.waitFor()
  // The title of the window counts as the page does.
  const count = /^\d+/.exec((await needs.textContent()) ?? "")?.[0]
  expect(await page.title()).toStartWith(`(${count}) Home`)
})

withBrowser("a list that is longer than a page goes on where somebody asks for more", async () => {
  const events = Array.from({ length: 101 }, (_, n) => ({
    sensor_id: "pump",
    event_id: `level ${n}`,
    source_ref: "pump://1",
    dedupe_key: `pump:${n}`,
    payload: { n }
  }))
  await Promise.all(events.map((event) => post("/api/sensors/events", event)))
  await home()
  await link("Sensors").click()
  const rows = page.getByRole("list", { name: "Sensor events" }).getByRole("listitem")
  await rows.nth(99).waitFor()
  expect(await rows.count()).toBe(100)
  await button("Show more").click()
  await rows.nth(100).waitFor()
  await button("Show more").waitFor({ state: "detached" })
})

withBrowser(
  "what was used today and what is left of a budget is told; more is granted in a dialog",
  async () => {
    await home()
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await page.getByRole("img", { name: "Attempts, by done and not done and running" }).waitFor()
    expect(await page.locator(".sums dd").first().textContent()).toMatch(/^\d+$/)
    await page.keyboard.press("g")
    await page.keyboard.press("u")
    await page.getByText(/Today \(UTC\): \d+ attempts?, tokens not told, cost not told\./).waitFor()
    await region("Budgets")
      .getByText(/attempts left of 500 attempts/)
      .waitFor()
    await button("Grant more").click()
    await dialog().getByRole("textbox", { name: "How much more, in attempts" }).fill("25")
    await dialog().getByRole("button", { name: "Grant more", exact: true }).click()
    await region("Budgets")
      .getByText(/left of 525 attempts \(25 attempts granted\)/)
      .waitFor()
  }
)

withBrowser("markup in every field is text, and the content policy has nothing to report", async () => {
  const { task_id: id } = await post("/api/tasks", {
    kind: MARKUP.slice(0, 100),
    source: MARKUP.slice(0, 100),
    subject: MARKUP,
    description: MARKUP,
    payload: { message: MARKUP, markup: MARKUP }
  })
  await home()
  await region("Blocked").getByRole("link", { name: MARKUP, exact: true }).click()
  await heading(MARKUP).waitFor()
  await region("stdout").getByText("<b>bold").waitFor()
  expect(page.url()).toContain(String(id))
  await page.goto(`${server.url}/ui/events`)
  await page.getByRole("button", { name: "Task enqueued" }).first().click()
  expect(await page.title()).not.toBe("owned")
  expect(await page.locator("main img, main b, main script").count()).toBe(0)
  expect(await page.locator("[style*='javascript']").count()).toBe(0)
  // Nor does it turn the direction of the words beside it.
  await home()
  const turning = await page.evaluate(
    "[...new Set([...document.querySelectorAll('.subject, .origin, .line')].map((one) => getComputedStyle(one).unicodeBidi))]"
  )
  expect(turning).toEqual(["isolate"])
})

withBrowser("axe finds nothing on the first screen and in a task's story, light and dark", async () => {
  await home()
  await page.emulateMedia({ colorScheme: "dark" })
  expect(await hindrances(page)).toEqual([])
  await page.emulateMedia({ colorScheme: "light" })
  await ask("Be looked at")
  await region("Done").getByRole("link", { name: "Be looked at" }).click()
  await heading("Attempts").waitFor()
  expect(await hindrances(page)).toEqual([])
})

withBrowser("a skill is completed from those that are known, by keys alone", async () => {
  await home()
  const box = page.getByRole("textbox", { name: "New task" })
  await box.fill("Go on as in /pu")
  await page.getByRole("option", { name: "/mend-pump", selected: true }).waitFor()
  expect(await hindrances(page)).toEqual([])
  await page.keyboard.press("Enter")
  await box.and(page.locator(":focus")).waitFor()
  expect(await box.inputValue()).toBe("Go on as in /mend-pump ")
  await page.keyboard.type("and /nowhere")
  await page.getByText("skills: mend-pump, nowhere (not found)").waitFor()
})

withBrowser("the keyboard alone goes everywhere and shows what it can", async () => {
  await home()
  await page.keyboard.press("g")
  await page.keyboard.press("d")
  await page.waitForURL(/\/ui\/done$/)
  await page.locator("main a[data-row]").first().waitFor()
  await page.keyboard.press("j")
  await page.keyboard.press("j")
  const second = (await page.locator("main a[data-row]").nth(1).textContent()) ?? ""
  await link(second).first().and(page.locator(":focus")).waitFor()
  await page.keyboard.press("Enter")
  await heading(second).waitFor()
  await page.keyboard.press("Escape")
  await page.waitForURL(/\/ui\/done$/)
  // Back where it was: the next key goes on from there.
  await page.locator("main a[data-row]").nth(1).and(page.locator(":focus")).waitFor()
  // A letter that leads nowhere is not what it does alone.
  await page.keyboard.press("g")
  await page.keyboard.press("p")
  expect(await dialog().count()).toBe(0)
  await page.keyboard.press("?")
  await dialog().getByText("search tasks").waitFor()
  await page.keyboard.press("Escape")
  await page.keyboard.press("/")
  await page.getByRole("searchbox", { name: "Search tasks" }).and(page.locator(":focus")).waitFor()
  await page.keyboard.press("Escape")
  await page.keyboard.press("n")
  await page.waitForURL((url) => url.pathname === "/")
  await page.getByRole("textbox", { name: "New task" }).and(page.locator(":focus")).waitFor()
})

withBrowser("what is typed stays while things happen, and while one looks elsewhere", async () => {
  await page.goto(`${server.url}/ui/tasks`)
  await page.getByRole("status").getByText("live").waitFor()
  let isOver = false
  const happening = (async () => {
    for (let n = 0; !isOver; n++) {
      await post("/api/sensors/events", {
        sensor_id: "noise",
        event_id: `noise ${n}`,
        source_ref: "test",
        dedupe_key: `noise ${n}`,
        payload: {}
      })
      await Bun.sleep(60)
    }
  })()
  try {
    const kind = page.getByRole("textbox", { name: "Kind" })
    await kind.pressSequentially("operator words", { delay: 45 })
    expect(await kind.inputValue()).toBe("operator words")
    await page.waitForURL(/kind=operator\+words/)
    const search = page.getByRole("searchbox", { name: "Search tasks" })
    await search.pressSequentially("look at it", { delay: 45 })
    expect(await search.inputValue()).toBe("look at it")
    await page.waitForURL(/q=look\+at\+it/)
  } finally {
    isOver = true
    await happening
  }
  await home()
  const box = page.getByRole("textbox", { name: "New task" })
  await box.fill("half a thought")
  await link("Adapters").click()
  await heading("Adapters").waitFor()
  await link("Home").click()
  expect(await box.inputValue()).toBe("half a thought")
  // Too long is said in the bytes that count, before anything is sent or cut.
  await box.fill("ä".repeat(33_000))
  await page.getByText(/^Too long by \d+ bytes: the server takes 65,536/).waitFor()
  await button("Queue task").click()
  expect((await box.inputValue()).length).toBe(33_000)
  await box.fill("")
})

withBrowser("a chosen event stands below the list, and its row stays where it was pressed", async () => {
  await page.goto(`${server.url}/ui/events`)
  const row = page.locator(".windowed li").nth(3).locator(".type")
  await row.waitFor()
  await button("Hold still").click()
  const before = await row.boundingBox()
  await row.click()
  const chosen = region("Chosen event")
  await chosen.getByText('"event_type"').waitFor()
  expect(await row.boundingBox()).toEqual(before)
  const box = await chosen.boundingBox()
  expect((box?.y ?? 0) + (box?.height ?? 1_000)).toBeLessThanOrEqual(900)
  expect(await hindrances(page)).toEqual([])
  await chosen.getByRole("button", { name: "Close" }).click()
  await row.and(page.locator(":focus")).waitFor()
  expect(await chosen.count()).toBe(0)
})

withBrowser("an artifact that is no text is told to be none", async () => {
  await home()
  await ask("measure it as binary")
  await region("Done").getByRole("link", { name: "measure it as binary" }).click()
  await button("pump.bin").click()
  await page.getByText(/It is no text \(application\/octet-stream, 2\.9 KiB\)/).waitFor()
})

withBrowser(
  "nothing in all this was an error of a script, of the console or of the content policy",
  async () => {
    // The browser tells of each refusal; the one that was provoked is none of ours.
    expect(browser.complaints.filter((one) => !/status of 409 .*\/cancel$/.test(one))).toEqual([])
  }
)

withBrowser("a log that was lost is told to be lost, not to be empty", async () => {
  await page.goto(`${server.url}/ui/tasks?q=measure`)
  await link("measure it as binary").click()
  await region("stdout").waitFor()
  const id = page.url().split("/").at(-1) ?? ""
  await rm(place.path("state", "artifacts", "adapter-runs", id), { recursive: true })
  await page.reload()
  await region("Output")
    .getByText(/It is not there any more\. Its files were pruned/)
    .first()
    .waitFor()
  expect(await page.getByText("The server answered 404").count()).toBe(0)
})

withBrowser(
  "a server that is lost is missed, what is shown is called old, and it comes back by itself",
  async () => {
    await home()
    await server.stop("SIGKILL")
    await page
      .getByRole("status")
      .getByText(/reconnecting|offline/)
      .waitFor()
    await page.getByText(/What you see is .* old/).waitFor()
    // It is said there alone; a view that never was loaded says so once, and waits for nothing.
    expect(await page.getByText(/could not be refreshed/).count()).toBe(0)
    for (const [view, words] of [
      ["Events", /^The history could not be loaded: The server does not answer\./],
      ["Usage", /^This could not be loaded: The server does not answer\./]
    ] as const) {
      await link(view).click()
      await heading(view).waitFor()
      await page.locator("main").getByText(words).waitFor()
      expect(await page.locator("main .wrong").count()).toBe(1)
      expect(await page.getByText(/Loading…|newest 0/).count()).toBe(0)
    }
    await link("Home").click()
    await queue(place, { subject: "queued meanwhile" })
    server = await startServer(place, "up", ["--port", String(server.port)])
    await button("Try again")
      .click({ timeout: 2_000 })
      .catch(() => {})
    await page.getByRole("status").getByText("live").waitFor()
    await region("Done").getByRole("link", { name: "queued meanwhile" }).waitFor()
  }
)
