import { expect, test } from "bun:test"
import { type Api, Problem } from "../../src/page/Api.ts"
import { delayAfter, keepOpen, lost, type News } from "../../src/page/Connection.ts"

const frame = (event: string, id: number, data: unknown): string =>
  `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`

const DASHBOARD = { runtime_name: "pump", runtime_policy: "Be careful." }

const events = (...ids: ReadonlyArray<number>) => ({ events: ids.map((id) => ({ id })), state: DASHBOARD })

const streamOf = (text: string): Response => new Response(text)

/** A page that hears, one after the other, what servers say; ends when all was said. */
const heard = async (answers: ReadonlyArray<string | Problem>) => {
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
      return streamOf(answer)
    }
    const refuse = () => Promise.reject(new Error("nobody asks for that here"))
    const connection = keepOpen(
      { get: refuse, post: refuse, open },
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
    state: { runtime_name: "pump" } as never,
    of: { policy: "Be careful.", role: "operate" }
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

test("a server that does not answer is asked again, and the loss is as old as its beginning", async () => {
  const gone = new Problem(0, "unreachable", "gone", undefined)
  const { told } = await heard([frame("dashboard", 1, DASHBOARD), gone, gone])
  const losses = told.flatMap((news) =>
    news.tells === "phase" && news.phase.is !== "live" ? [news.phase.since] : []
  )
  expect(losses).toHaveLength(3)
  expect(new Set(losses).size).toBe(1)
})

test("the pause between two tries grows and has an end", () => {
  const pauses = [0, 1, 2, 3, 4, 5, 100].map(delayAfter)
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
  expect(pauses.at(-1)).toBe(8_000)
})

test("a short loss is called reconnecting, a long one offline", () => {
  expect(lost(1_000, 2_000, 300)).toEqual({ is: "reconnecting", since: 1_000, again: 2_300 })
  expect(lost(1_000, 17_000, 8_000)).toEqual({ is: "offline", since: 1_000, again: 25_000 })
})
