import { afterEach, beforeEach, expect, test } from "bun:test"
import { type Api, Problem } from "../../src/page/Api.ts"
import type { News } from "../../src/page/Connection.ts"
import { makeTabs, type Stream } from "../../src/page/Tabs.ts"

const DASHBOARD = JSON.stringify({
  runtime_name: "pump",
  runtime_state: "idle",
  counts: {
    queued: 0,
    running: 0,
    completed: 0,
    blocked: 0,
    retryable_failure: 0,
    permanent_failure: 0,
    operator_canceled: 0
  },
  dispatch_paused: { paused: false, reason: null, updated_at: null },
  dispatcher: { held: false, runner_id: null, since: null },
  last_event: null,
  signed_in: "olga"
})

/** The locks of one browser, as far as tabs use them: one at a time, the others in the order in which they came. */
const locks = () => {
  let turn: Promise<unknown> = Promise.resolve()
  return {
    request: (_name: string, { signal }: { signal: AbortSignal }, use: () => Promise<void> | undefined) => {
      turn = turn.then(() => (signal.aborted ? undefined : use()))
      return turn
    }
  }
}

beforeEach(() => {
  Object.defineProperty(navigator, "locks", { configurable: true, value: locks() })
})

const streams: Array<Stream> = []

afterEach(() => {
  for (const stream of streams.splice(0)) stream.leave()
  Reflect.deleteProperty(navigator, "locks")
})

/** A server that lets nobody in without a token, and the tabs of one browser. */
const browser = () => {
  const server = { isOpen: true, asked: 0, drop: () => {} }
  const refuse = () => Promise.reject(new Error("nobody asks for that here"))
  const open: Api["open"] = async (_path, init) => {
    server.asked++
    if (!server.isOpen) throw new Problem(401, "unauthorized", "a token", undefined)
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(`event: dashboard\nid: 1\ndata: ${DASHBOARD}\n\n`))
        server.drop = () => controller.close()
        init?.signal?.addEventListener("abort", () => {
          try {
            controller.close()
          } catch {
            // It was dropped before.
          }
        })
      }
    })
    return new Response(body)
  }
  const tab = () => {
    const told: Array<News> = []
    let look = () => {}
    const stream = makeTabs({ get: refuse, post: refuse, open }, Date.now, (news) => {
      told.push(news)
      look()
    }).join()
    streams.push(stream)
    const stands = (): string => {
      const last = told.findLast((news) => news.tells === "phase")
      if (last === undefined) return "nothing"
      return last.phase.is === "live" ? "live" : last.phase.locked === true ? "locked" : "lost"
    }
    /** Resolves when the tab is told so; the test's own limit ends it otherwise. */
    const until = (what: string) =>
      new Promise<void>((done) => {
        look = () => {
          if (stands() === what) done()
        }
        look()
      })
    return { stream, told, stands, until }
  }
  return { server, tab }
}

test("each tab is told that the server wants a token, and that one signed in, whichever it was", async () => {
  const { server, tab } = browser()
  const [leader, follower] = [tab(), tab()]
  await Promise.all([leader.until("live"), follower.until("live")])
  expect(server.asked).toBe(1)
  for (const one of [follower, leader]) {
    server.isOpen = false
    server.drop()
    await Promise.all([leader.until("locked"), follower.until("locked")])
    server.isOpen = true
    one.stream.now()
    await Promise.all([leader.until("live"), follower.until("live")])
  }
}, 3_000)

test("a tab that comes while a token is wanted hears how it is now, not how it was", async () => {
  const { server, tab } = browser()
  server.isOpen = false
  const leader = tab()
  await leader.until("locked")
  const still = tab()
  await still.until("locked")
  server.isOpen = true
  const late = tab()
  await Promise.all([late.until("live"), still.until("live"), leader.until("live")])
  expect(late.told.filter((news) => news.tells === "phase")).toHaveLength(1)
}, 3_000)

test("what has left says nothing more", async () => {
  const { server, tab } = browser()
  const [leader, follower] = [tab(), tab()]
  await follower.until("live")
  follower.stream.leave()
  follower.stream.now()
  expect([leader.stands(), server.asked]).toEqual(["live", 1])
})
