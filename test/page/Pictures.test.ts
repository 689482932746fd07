import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { Place } from "../support/binary.ts"
import { needs } from "../support/needs.ts"
import { decoded, packed } from "./png.ts"
import { furnish, showroom } from "./showroom.ts"
import { openBrowser } from "./stage.ts"

setDefaultTimeout(120_000)

const withBrowser = needs("chromium")

/** The folder in which the README's pictures are made anew, where somebody asks for that. */
const folder = process.env.AGENT_RUNTIME_PICTURES

/** A picture is worth so much of a clone's time. */
const MOST_BYTES = 160_000

let place: Place
let shown: Awaited<ReturnType<typeof furnish>>
let browser: Awaited<ReturnType<typeof openBrowser>>

beforeAll(async () => {
  if (Bun.which("chromium") === null) return
  place = await Place.make(showroom)
  shown = await furnish(place)
  browser = await openBrowser()
})

afterAll(async () => {
  await browser?.browser.close()
  await shown?.server.stop("SIGKILL")
  await place?.remove()
})

withBrowser(
  "the README's pictures show the first screen, a task that runs and a workflow, light and dark",
  async () => {
    const task = shown.ids.get("Find out why the nightly export is slow") ?? ""
    const views = [
      // What each has to show before it is taken.
      ["home", "/", "indexed", 820],
      ["task", `/ui/tasks/${task}`, "npm test -- test/export", 640],
      ["workflow", "/ui/workflows/1", "Task for execute queued", 640]
    ] as const
    for (const colorScheme of ["light", "dark"] as const)
      for (const [name, path, words, height] of views) {
        const { context, page } = await browser.open(shown.server.url + path, {
          viewport: { width: 1_180, height },
          deviceScaleFactor: 2,
          colorScheme
        })
        await page.getByRole("status").getByText("live").waitFor()
        await page.locator("main").getByText(words).first().waitFor()
        await page
          .getByText(/ of (30|15) m$/)
          .first()
          .waitFor({ timeout: 2_000 })
          .catch(() => {})
        const picture = await page.screenshot()
        const small = packed(picture)
        expect({ name, bytes: small.length }).toEqual({ name, bytes: Math.min(small.length, MOST_BYTES) })
        expect(small.length).toBeLessThan(picture.length)
        expect(decoded(picture)).toMatchObject({ width: 2_360, height: 2 * height })
        if (folder !== undefined) {
          await mkdir(folder, { recursive: true })
          await Bun.write(join(folder, `${name}-${colorScheme}.png`), small)
        }
        await context.close()
      }
    expect(browser.complaints).toEqual([])
  }
)

const at = async (path: string) => {
  const { context, page } = await browser.open(shown.server.url + path)
  await page.getByRole("status").getByText("live").waitFor()
  return { context, page }
}

withBrowser("in the list of workflows the ways taken are heavier, and when is told below each", async () => {
  const { context, page } = await at("/ui/workflows")
  const link = page.getByRole("link", { name: "halve-the-nightly-bill", exact: true })
  const row = page.getByRole("listitem").filter({ has: link })
  await row.locator(".edge.taken").filter({ hasText: "plan_ready" }).waitFor()
  expect(await row.locator(".edge.taken text").allTextContents()).toEqual(["plan_ready"])
  await row.getByText("Which way it went, and when").click()
  const way = row.getByRole("listitem").filter({ hasText: "plan → execute on plan_ready" })
  await way.getByRole("time").waitFor()
  // Who comes back goes on from the row that was opened.
  await link.press("Enter")
  await page.getByRole("heading", { name: "halve-the-nightly-bill" }).waitFor()
  await page.keyboard.press("Escape")
  await link.and(page.locator(":focus")).waitFor()
  await context.close()
})

withBrowser("how long an attempt has run and for how long it may are told together, or not yet", async () => {
  const limit = Promise.withResolvers<void>()
  const { context, page } = await at("/ui/usage")
  await context.route("**/api/bundles/*", async (route) => {
    await limit.promise
    await route.continue()
  })
  await page.goto(`${shown.server.url}/ui/now`)
  const link = page.getByRole("link", { name: "Index the handbook anew", exact: true })
  const row = page.getByRole("listitem").filter({ has: link })
  await row.getByText(/indexed \d+ of 8912/).waitFor()
  expect(await row.locator(".figures").textContent()).toBe("")
  limit.resolve()
  await row.getByText(/^\d.* of 30 m$/).waitFor()
  // In an output arrows scroll; the list beside it leaves them to it.
  await link.click()
  const output = page.getByRole("region", { name: "stdout" })
  await output.press("ArrowDown")
  await output.and(page.locator(":focus")).waitFor()
  await context.close()
})

withBrowser("bars by adapter and day are of tokens, attempts or cost, as the address says", async () => {
  const { context, page } = await at("/ui/usage")
  const days = page.getByRole("region", { name: "By adapter and day" })
  await days
    .getByRole("img", { name: /^codex, tokens by day: most on \d{4}-\d\d-\d\d, [\d,]+ tokens$/ })
    .waitFor()
  await days.getByRole("button", { name: "Attempts" }).click()
  await days.getByRole("img", { name: /^local, attempts by day: most on/ }).waitFor()
  expect(page.url()).toEndWith("/ui/usage?of=attempts")
  await page.goBack()
  await days.getByRole("img", { name: /^codex, tokens by day/ }).waitFor()
  await context.close()
})
