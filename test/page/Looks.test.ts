import { afterAll, beforeAll, expect } from "bun:test"
import type { Page } from "playwright-core"
import { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { openBrowser, type Server, scene, startServer } from "./stage.ts"

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
  const { context, page } = await browser.open(server.url + path, { viewport: { width, height } })
  await page.getByRole("status").getByText("live").waitFor()
  return { context, page }
}

/** Asks until it is so: what waits within the page would need what its content policy forbids. */
const until = async (page: Page, expression: string): Promise<void> => {
  while (!(await page.evaluate(expression)));
}

for (const width of [320, 800, 1_280])
  withBrowser(
    `at ${width} px it stays in sight, wherever one reads, that it is paused and that it is live`,
    async () => {
      const { context, page } = await seen("/ui/queue", width, 400)
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
      await context.close()
    }
  )

withBrowser("what is drawn keeps its size: where there is less room it is laid out anew", async () => {
  for (const path of ["/ui/workflows/1", "/ui/usage"]) {
    const { context, page } = await seen(path, 1_280, 800)
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
    await context.close()
  }
})
