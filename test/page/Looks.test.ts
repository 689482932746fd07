import { Database } from "bun:sqlite"
import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test"
import { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { openBrowser, type Server, scene, scrolledTo, startServer, until } from "./stage.ts"

setDefaultTimeout(30_000)

const withBrowser = needs("chromium")

const REASON = "the pump is being repaired"
const LONG = "of many words ".repeat(40).trim()

let place: Place
let server: Server
let browser: Awaited<ReturnType<typeof openBrowser>>

const post = async (path: string, body: unknown): Promise<void> => {
  const told = await fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  expect(told.ok).toBe(true)
}

beforeAll(async () => {
  if (Bun.which("chromium") === null) return
  place = await Place.make(scene())
  server = await startServer(place, "serve")
  browser = await openBrowser()
  await post("/api/pause", { paused: true, reason: REASON })
  for (const subject of [LONG, "\u202egnp.pump", "third", "fourth"])
    await post("/api/tasks", { kind: "note", source: "test", subject, payload: {} })
  await post("/api/workflows", { template: "community-research", instance_key: "wiki" })
})

afterAll(async () => {
  await browser?.browser.close()
  await server?.stop("SIGKILL")
  await place?.remove()
})

const seen = async (path: string, width: number, height: number) => {
  const page = await browser.visit(server.url + path, width, height)
  await page.getByRole("status").getByText("live").waitFor()
  return page
}

for (const width of [320, 800, 1_280])
  withBrowser(
    `at ${width} px it stays in sight, wherever one reads, that it is paused and that it is live`,
    async () => {
      const page = await seen("/ui/queue", width, 400)
      const link = page.getByRole("main").getByRole("link", { name: LONG })
      // A subject of many words takes two lines of a list, and all of it is its link's name.
      expect((await link.boundingBox())?.height).toBeLessThan(60)
      // What would turn the text is seen, and turns nothing.
      await page.getByRole("main").getByRole("link", { name: "[U+202E]gnp.pump" }).waitFor()
      await page.getByText(new RegExp(`${REASON} · by`)).waitFor()
      await page.evaluate("scrollTo(0, document.body.scrollHeight)")
      await until(page, "scrollY > 100")
      for (const kept of [page.getByText(`Paused: ${REASON}`).first(), page.getByRole("status")]) {
        const { height = -1, y = -1 } = (await kept.boundingBox()) ?? {}
        expect({ y, isSeen: y >= 0 && y + height <= 400 }).toEqual({ y, isSeen: true })
      }
    }
  )

/** What of a band's parts is not wholly within the band or the window. */
const CUT = `[...document.querySelectorAll(".band.paused .said > :not(.reason)")].filter((part) => {
  const [own, band] = [part, document.querySelector(".band.paused")].map((one) => one.getBoundingClientRect())
  return own.width > 0 && (own.bottom > band.bottom || own.right > innerWidth || own.height < 10)
}).map((part) => part.textContent)`

for (const [width, most] of [
  [360, 80],
  [1_280, 90]
] as const)
  withBrowser(
    `at ${width} px a long reason hides neither who paused nor since when, nor the view`,
    async () => {
      const WORDS = "the pump is being repaired by the people of the harbour and must not be started "
      const pause = (characters: number) =>
        post("/api/pause", {
          paused: true,
          reason: WORDS.repeat(40)
            .slice(0, characters - 1)
            .concat(".")
        })
      const page = await seen("/ui/queue", width, 640)
      const band = page.locator(".band.paused")
      for (const characters of width === 360 ? [100, 1_500] : [1_500]) {
        await pause(characters)
        const all = page.getByRole("button", { name: "Show all of the reason" })
        await all.waitFor()
        await band.getByText("by loopback (http) · ").waitFor()
        expect(await band.locator("time").isVisible()).toBe(true)
        expect(await page.evaluate(CUT)).toEqual([])
        expect((await band.boundingBox())?.height).toBeLessThan(most)
        // The whole of it is there for a keyboard, and scrolls within the window where it is long.
        await all.focus()
        await page.keyboard.press("Enter")
        const less = page.getByRole("button", { name: "Show less of the reason" })
        await less.waitFor()
        const reason = page.getByRole("region", { name: "Why it is paused" })
        await reason.focus()
        await page.keyboard.press("End")
        await until(
          page,
          `(({ scrollTop, scrollHeight, clientHeight }) => scrollTop + clientHeight >= scrollHeight - 1)(document.querySelector(".band .reason"))`
        )
        expect((await band.boundingBox())?.height).toBeLessThan(330)
        await less.click()
        await all.waitFor()
      }
      await post("/api/pause", { paused: true, reason: REASON })
      await page.getByText(new RegExp(`${REASON} · by`)).waitFor()
      expect(await page.getByRole("button", { name: /of the reason/ }).count()).toBe(0)
    }
  )

withBrowser(
  "of more stalled workflows than are told at once all are counted, and the rest is shown",
  async () => {
    const db = new Database(place.path("state", "runtime.db"))
    db.run("PRAGMA busy_timeout = 5000")
    db.run(
      `WITH RECURSIVE each(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < 620)
     INSERT INTO workflows (template, instance_key, current_state, context_json, status, stalled_reason,
       created_by_json, created_at, updated_at)
     SELECT 'goal-loop', 'still-' || n, 'execute', '{}', 'stalled', 'no_signal: it gave none',
       '{"surface":"cli","name":"test"}', '2026-04-29T12:00:00.000Z', '2026-04-29T12:00:00.000Z' FROM each`
    )
    db.close()
    const page = await seen("/ui/workflows", 1_280, 800)
    await page.getByText("Of 620 stalled workflows the newest 500 stand here.").waitFor()
    // Pictures far below are drawn when somebody comes near.
    expect(await page.locator("svg.machine.stalled").count()).toBeLessThan(100)
    await page.getByRole("link", { name: "Blocked", exact: true }).click()
    await page.getByRole("link", { name: "620 need you" }).waitFor()
    const rows = page.getByRole("main").getByRole("listitem")
    // The view before says the same of its own list: it has to be gone.
    await page.getByRole("heading", { level: 1, name: "Blocked" }).waitFor()
    await page.getByText("Of 620 stalled workflows the newest 500 stand here.").waitFor()
    await rows.nth(199).waitFor()
    expect(await rows.count()).toBe(200)
    await page.getByRole("button", { name: "Show more stalled ones" }).click()
    await page.getByText(/^Of 620/).waitFor({ state: "detached" })
    await scrolledTo(page, "main li", 620)
  }
)

withBrowser(
  "on a phone all of a chosen event is read, however long its words, and its row has the way back",
  async () => {
    const name = "s".repeat(90)
    const pushed = await fetch(`${server.url}/api/sensors/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        sensor_id: name,
        event_id: "e".repeat(150),
        source_ref: "phone",
        dedupe_key: "phone",
        payload: { text: "w".repeat(400) }
      })
    })
    expect(pushed.ok).toBe(true)
    const page = await seen("/ui/events?type=sensor_event_recorded", 360, 640)
    const row = page.locator(".windowed li").first().getByRole("button")
    await row.click()
    const chosen = page.getByRole("region", { name: "Chosen event" })
    await chosen.getByText(name).first().waitFor()
    // Nothing of it is cut off, by the window or by a box of its own.
    expect(
      await page.evaluate(`[
      document.documentElement.scrollWidth - innerWidth,
      ...[...document.querySelectorAll(".chosen, .chosen *")].flatMap((one) => [
        Math.max(0, one.getBoundingClientRect().right - innerWidth),
        getComputedStyle(one).display === "inline" ? 0 : one.scrollHeight - one.clientHeight
      ])
    ].filter((over) => over > 1)`)
    ).toEqual([])
    const { y = 640 } = (await chosen.boundingBox()) ?? {}
    expect(y).toBeLessThan(320)
    await chosen.getByRole("button", { name: "Close" }).click()
    await row.and(page.locator(":focus")).waitFor()
  }
)

withBrowser("what is drawn keeps its size: where there is less room it is laid out anew", async () => {
  for (const path of ["/ui/workflows/1", "/ui/usage"]) {
    const page = await seen(path, 1_280, 800)
    await page.locator(":is(svg.machine, .chart > svg)").first().waitFor()
    for (const width of [1_280, 720, 360]) {
      await page.setViewportSize({ width, height: 800 })
      await until(
        page,
        `[...document.querySelectorAll(".machine, .chart > svg")].every(
        ({ clientWidth, parentElement, viewBox }) =>
          clientWidth === viewBox.baseVal.width && clientWidth <= parentElement.clientWidth
      )`
      )
    }
  }
})

withBrowser("on a phone too the strip says which dispatcher runs, and for how long", async () => {
  const page = await seen("/", 360, 640)
  const dispatching = place.start(["dispatch"])
  try {
    const dispatcher = page.locator(".strip .dispatcher")
    await dispatcher.getByText(/^dispatcher \S+:\d+$/).waitFor()
    await dispatcher.getByText(/^ ?up (under 1 m|\d+ m)/).waitFor()
    // It stands below the name, whose line is 20 px high, and beside the button.
    const boxes = ["name", "dispatcher"].map((part) => page.locator(`.strip .${part}`).boundingBox())
    const [name, own] = await Promise.all(boxes)
    const beside = await page.getByRole("button", { name: "Resume" }).boundingBox()
    expect(own!.y).toBeGreaterThanOrEqual(name!.y + 20)
    expect(own!.x + own!.width).toBeLessThanOrEqual(beside!.x)
  } finally {
    dispatching.kill()
    await dispatching.exited
  }
})
