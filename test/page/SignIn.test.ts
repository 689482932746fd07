import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test"
import { chmod } from "node:fs/promises"
import { inPlace } from "../e2e/inPlace.ts"
import { needs } from "../support/needs.ts"
import { openBrowser, scene, startServer } from "./stage.ts"

setDefaultTimeout(60_000)

const withBrowser = needs("chromium")

let browser: Awaited<ReturnType<typeof openBrowser>>

beforeAll(async () => {
  if (Bun.which("chromium") !== null) browser = await openBrowser()
})

afterAll(async () => {
  await browser?.browser.close()
})

withBrowser(
  "who has no token signs in with one; a wrong one is told so, and one that may only read too",
  () =>
    inPlace(
      scene({
        http: {
          tokens: [
            { name: "maria", role: "operate", tokenFile: "maria.token" },
            { name: "rita", role: "read", tokenFile: "rita.token" }
          ],
          loopbackRole: "none"
        }
      }),
      async (locked) => {
        for (const name of ["maria", "rita"]) {
          await locked.write(`${name}.token`, `the-token-of-${name}-1234567890`)
          await chmod(locked.path(`${name}.token`), 0o600)
        }
        const own = await startServer(locked, "serve")
        try {
          const visitor = await browser.visit(own.url)
          const context = visitor.context()
          const token = visitor.getByRole("textbox", { name: "Token" })
          await token.fill("not the token at all")
          await visitor.getByRole("button", { name: "Sign in" }).click()
          await visitor
            .getByText(/not known|unknown/i)
            .first()
            .waitFor()
          await token.fill("the-token-of-maria-1234567890")
          await visitor.getByRole("button", { name: "Sign in" }).click()
          await visitor.getByRole("status").getByText("live").waitFor()
          await visitor.getByRole("heading", { name: "Blocked", exact: true }).waitFor()
          // The session ends while the page is open: it asks for the token where it stands, and loses nothing.
          await visitor.getByRole("textbox", { name: "New task" }).fill("half a thought")
          await context.clearCookies()
          await visitor
            .getByRole("link", { name: "Schedules", exact: true })
            .click({ timeout: 1_000 })
            .catch(() => {})
          await visitor.getByRole("status").getByText("offline until you sign in").waitFor()
          await token.fill("the-token-of-maria-1234567890")
          await visitor.getByRole("button", { name: "Sign in" }).click()
          await visitor.getByRole("status").getByText("live").waitFor()
          await visitor.getByRole("link", { name: "Home", exact: true }).click()
          expect(await visitor.getByRole("textbox", { name: "New task" }).inputValue()).toBe("half a thought")
          await visitor.getByRole("button", { name: "Sign out maria" }).click()
          await token.fill("the-token-of-maria-1234567890")
          await visitor.getByRole("button", { name: "Sign in" }).click()
          await visitor.getByRole("status").getByText("live").waitFor()
          expect(await visitor.getByRole("button", { name: "Pause" }).isDisabled()).toBe(false)
          // Who may only read is told so, and can press nothing that would be refused.
          await context.clearCookies()
          await context.request.post(`${own.url}/login`, { data: { token: "the-token-of-rita-1234567890" } })
          await visitor.goto(own.url)
          await visitor.getByText("You may only read.").waitFor()
          for (const name of ["Pause", "Queue task", "Options"])
            expect(await visitor.getByRole("button", { name }).isDisabled()).toBe(true)
          await visitor.keyboard.press("p")
          await visitor.getByText("Changing anything needs the role operate.").waitFor()
          expect(await visitor.getByRole("dialog").count()).toBe(0)
        } finally {
          await own.stop()
        }
      }
    )
)

withBrowser(
  "when a token is no longer good every tab asks for one, and one sign-in brings all of them back",
  () =>
    inPlace(
      scene({
        http: { tokens: [{ name: "maria", role: "operate", tokenFile: "maria.token" }], loopbackRole: "none" }
      }),
      async (locked) => {
        const hands = async (token: string) => {
          await locked.write("maria.token", token)
          await chmod(locked.path("maria.token"), 0o600)
        }
        await hands("the-token-of-maria-1234567890")
        let own = await startServer(locked, "serve")
        try {
          const page = await browser.visit(own.url)
          const context = page.context()
          const signIn = async (tab: typeof page, token: string) => {
            await tab.getByRole("textbox", { name: "Token" }).fill(token)
            await tab.getByRole("button", { name: "Sign in" }).click()
          }
          await signIn(page, "the-token-of-maria-1234567890")
          await page.getByRole("status").getByText("live").waitFor()
          const other = await context.newPage()
          await other.goto(own.url)
          await other.getByRole("status").getByText("live").waitFor()
          // What is asked meanwhile is held back until the server is there again: no try fails, so that the next
          // one never is as far away as those are that follow many.
          let back = () => {}
          const isBack = new Promise<void>((done) => {
            back = done
          })
          await context.route("**/api/stream", (route) => isBack.then(() => route.continue()))
          await own.stop("SIGKILL")
          await hands("the-second-token-of-maria-123")
          own = await startServer(locked, "serve", ["--port", String(own.port)])
          back()
          for (const one of [page, other])
            await one.getByRole("status").getByText("offline until you sign in").waitFor()
          // The page that signs in is not the one that has the stream.
          await signIn(other, "the-second-token-of-maria-123")
          for (const one of [page, other]) {
            await one.getByRole("status").getByText("live").waitFor()
            await one.getByRole("heading", { name: "Blocked", exact: true }).waitFor()
          }
          await other.close()
        } finally {
          await own.stop()
        }
      }
    )
)
