import { expect, test } from "bun:test"
import { type Api, Problem } from "../../src/page/Api.ts"
import { delayAfter, keepOpen, lost, type News, phaseWords } from "../../src/page/Connection.ts"

const frame = (event: string, id: number, data: unknown): string =>
  `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`

const STATE = {
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
  last_event: null
} as const

const DASHBOARD = { ...STATE, runtime_policy: "Be careful.", signed_in: "olga" }

const happened = (id: number) => ({
  id,
  event_type: "task_enqueued",
  task_id: null,
  attempt_id: null,
  actor: { surface: "cli", name: "operator" },
  detail: {},
  created_at: "2026-04-29T12:00:00.000Z"
})

const events = (...ids: ReadonlyArray<number>) => ({ events: ids.map(happened), state: STATE })

const streamOf = (text: string): Response => new Response(text)

/** A page that hears, one after the other, what servers say; ends when all was said. */
const heard = async (answers: ReadonlyArray<string | Problem | Response>) => {
  const ending = new AbortController()
  const asked: Array<string | null> = []
  const told: Array<News> = []
  let last: string | undefined
  await new Promise<void>((done) => {
    const open: Api["open"] = async (_path, init) => {
      asked.push(new Headers(init?.headers).get("last-event-id"))
      const answer = answers[asked.length - 1]
      if (answer === undefined) {
        ending.abort()
        done()
        throw new Problem(0, "unreachable", "It is over.", undefined)
      }
      if (answer instanceof Problem) throw answer
      return typeof answer === "string" ? streamOf(answer) : answer
    }
    const refuse = () => Promise.reject(new Error("nobody asks for that here"))
    const connection = keepOpen(
      { get: refuse, post: refuse, open },
      Date.now,
      {
        get: () => last,
        set: (id) => {
          last = id
        }
      },
      (news) => {
        told.push(news)
        // Somebody who presses "Try again" as soon as there is something to press.
        if (news.tells === "phase" && news.phase.is !== "live") setTimeout(() => connection.now(), 0)
      },
      ending.signal
    )
  })
  return { asked, told }
}

const words = (told: ReadonlyArray<News>): ReadonlyArray<string> =>
  told.map((news) =>
    news.tells === "phase"
      ? news.phase.is
      : news.tells === "events"
        ? news.events.map(({ id }) => id).join(" ")
        : news.tells
  )

test("a stream that ends is taken up behind the last event that it told", async () => {
  const { asked, told } = await heard([
    frame("dashboard", 4, DASHBOARD) + frame("events", 6, events(5, 6)),
    frame("dashboard", 6, DASHBOARD) + frame("events", 7, events(7))
  ])
  expect(asked).toEqual([null, "6", "7"])
  expect(words(told)).toEqual(["state", "live", "5 6", "reconnecting", "state", "live", "7", "reconnecting"])
  expect(told[0]).toEqual({
    tells: "state",
    state: STATE,
    of: { policy: "Be careful.", role: "operate", signedIn: "olga" }
  })
})

test("a stream says when whoever listens may only read", async () => {
  const { told } = await heard([frame("dashboard", 1, { ...DASHBOARD, role: "read" })])
  expect(told[0]).toMatchObject({ of: { role: "read" } })
})

test("a history that was pruned meanwhile is said to be another one", async () => {
  const { told } = await heard([frame("reset", 9, { oldest: 9 }) + frame("dashboard", 9, DASHBOARD)])
  expect(words(told)).toEqual(["reset", "state", "live", "reconnecting"])
})

test("a frame that this page cannot read is not taken for one, and it is said that the server speaks otherwise", async () => {
  const { counts: _, ...half } = DASHBOARD
  const bad = [
    frame("dashboard", 4, half),
    frame("dashboard", 4, DASHBOARD) + frame("events", 5, { ...events(5), events: [{ id: 5 }] }),
    "event: dashboard\nid: 4\ndata: <html>\n\n"
  ]
  const { asked, told } = await heard([...bad, frame("dashboard", 5, DASHBOARD)])
  expect(words(told)).toEqual([
    "reconnecting",
    ...["state", "live", "reconnecting"],
    "reconnecting",
    ...["state", "live", "reconnecting"]
  ])
  expect(
    told.flatMap((news) => (news.tells === "phase" && news.phase.is !== "live" ? [news.phase.foreign] : []))
  ).toEqual([true, true, true, undefined])
  // What could not be read is asked for again.
  expect(asked).toEqual([null, null, "4", "4", "5"])
})

test("what is shown is as old as what was heard last, not as its loss was noticed", async () => {
  // It says something and hangs: that it is gone is noticed later.
  let spoke = 0
  const hanging = new ReadableStream<Uint8Array>({
    start: async (controller) => {
      controller.enqueue(new TextEncoder().encode(frame("dashboard", 1, DASHBOARD)))
      spoke = Date.now()
      await Bun.sleep(60)
      controller.close()
    }
  })
  const { told } = await heard([new Response(hanging)])
  const loss = told.at(-1)
  if (loss?.tells !== "phase" || loss.phase.is === "live") throw new Error("the loss was not told")
  expect(loss.phase.since - spoke).toBeLessThan(50)
})

test("a server that does not answer is asked again, and the loss is as old as its beginning", async () => {
  const gone = new Problem(0, "unreachable", "gone", undefined)
  const { told } = await heard([frame("dashboard", 1, DASHBOARD), gone, gone])
  const losses = told.flatMap((news) =>
    news.tells === "phase" && news.phase.is !== "live" ? [news.phase.since] : []
  )
  expect(losses).toHaveLength(3)
  expect(new Set(losses).size).toBe(1)
})

test("a server that wants a token is told from one that is gone", async () => {
  const wanted = new Problem(401, "unauthorized", "a token", undefined)
  const { told } = await heard([wanted, new Problem(0, "unreachable", "gone", undefined)])
  expect(
    told.map((news) => (news.tells === "phase" && news.phase.is !== "live" ? news.phase.locked : "no loss"))
  ).toEqual([true, undefined])
})

test("who signs in while a try is under way, which is refused, is not kept waiting for the next", async () => {
  const ending = new AbortController()
  const told: Array<News> = []
  let asked = 0
  await new Promise<void>((done) => {
    const refuse = () => Promise.reject(new Error("nobody asks for that here"))
    const open: Api["open"] = async () => {
      asked++
      if (asked === 2) return streamOf(frame("dashboard", 1, DASHBOARD))
      connection.now()
      throw new Problem(401, "unauthorized", "a token", undefined)
    }
    const connection = keepOpen(
      { get: refuse, post: refuse, open: (path, init) => Promise.resolve().then(() => open(path, init)) },
      Date.now,
      { get: () => undefined, set: () => {} },
      (news) => {
        told.push(news)
        if (news.tells !== "phase" || news.phase.is !== "live") return
        ending.abort()
        done()
      },
      ending.signal
    )
  })
  expect(words(told)).toEqual(["state", "live"])
}, 3_000)

test("the pause between two tries grows and has an end", () => {
  const pauses = [0, 1, 2, 3, 4, 5, 100].map(delayAfter)
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
  expect(pauses.at(-1)).toBe(8_000)
})

test("a short loss is called reconnecting, a long one offline", () => {
  expect(lost(1_000, 2_000, 300)).toEqual({ is: "reconnecting", since: 1_000, again: 2_300 })
  expect(lost(1_000, 17_000, 8_000)).toEqual({ is: "offline", since: 1_000, again: 25_000 })
})

test("a loss is said in words that do not count, so that they are read out once", () => {
  const at = Date.parse("2026-04-29T12:03:00.000Z")
  const words = (now: number) => phaseWords({ is: "reconnecting", since: at, again: at + 4_000 }, now, true)
  expect([words(at), words(at + 1_000)]).toEqual(["reconnecting", "reconnecting"])
  expect(phaseWords({ is: "live" }, at, true)).toBe("live")
  expect(phaseWords({ is: "offline", since: at, again: at }, at + 60_000, true)).toBe(
    "offline since 12:03:00 UTC"
  )
})
