import { expect, test } from "bun:test"
import { Problem } from "../../src/page/Api.ts"
import { cell } from "../../src/page/Cell.ts"
import type { Ask, Means, Notice } from "../../src/page/Means.ts"
import { cancelAll, type Filter, retry, retryAll } from "../../src/page/Moves.ts"

interface Sent {
  readonly path: string
  readonly body: unknown
}

/** Means of which what is sent is answered one after the other; a Problem is thrown. */
const meansOf = (role: "read" | "operate", ...answers: ReadonlyArray<unknown>) => {
  const sent: Array<Sent> = []
  const left = [...answers]
  const next = async <A>(): Promise<A> => {
    const answer = left.shift()
    if (answer instanceof Problem) throw answer
    return answer as A
  }
  const seen = { refreshed: 0 }
  const world: Means = {
    api: {
      get: next,
      post: <A>(path: string, body: unknown) => {
        sent.push({ path, body })
        return next<A>()
      }
    },
    role: cell<"read" | "operate" | undefined>(role),
    ask: cell<Ask | undefined>(undefined),
    notice: cell<Notice | undefined>(undefined),
    refresh: () => {
      seen.refreshed++
    }
  }
  return { seen, sent, world }
}

const BLOCKED: Filter = { status: ["blocked"] }
const bulk = (matched: number, moved: number, refused: number) => ({ matched, moved, refused })

test("the retry of a task does not ask, nor does that of the one that matches", async () => {
  const one = meansOf("operate", {})
  await retry(one.world, { task_id: "t", subject: "Drain", kind: "note", status: "blocked" })
  expect(one.world.ask.get()).toBeUndefined()
  expect(one.world.notice.get()?.text).toBe("Retried “Drain”.")
  const { sent, world } = meansOf("operate", bulk(3, 0, 2), bulk(3, 1, 2))
  await retryAll(world, BLOCKED, "Retry matching")
  expect(world.ask.get()).toBeUndefined()
  expect(sent.at(-1)).toEqual({ path: "/api/tasks/retry", body: { filter: BLOCKED, dry_run: false } })
  expect(world.notice.get()?.text).toBe("Retried 1 task; 2 refused.")
})

test("the retry of many asks with their count, and tells how many were moved", async () => {
  const { sent, world } = meansOf("operate", bulk(131, 0, 0), bulk(131, 0, 0), bulk(131, 130, 1))
  await retryAll(world, BLOCKED, "Retry matching")
  const asked = world.ask.get()
  expect([asked?.verb, asked?.heading, asked?.danger]).toEqual(["Retry matching", "Retry 131 tasks?", false])
  expect(asked?.body).toEqual(["Status blocked.", "A fresh round of each of the 131 begins."])
  expect(sent).toEqual([{ path: "/api/tasks/retry", body: { filter: BLOCKED, dry_run: true } }])
  await asked?.run("")
  expect(sent.at(-1)).toEqual({ path: "/api/tasks/retry", body: { filter: BLOCKED, dry_run: false } })
  expect(world.notice.get()).toEqual({ tone: "failed", text: "Retried 130 tasks; 1 refused." })
})

test("that there was nothing to retry is told", async () => {
  const { world } = meansOf("operate", bulk(4, 0, 4))
  await retryAll(world, BLOCKED, "Retry matching")
  expect(world.ask.get()).toBeUndefined()
  expect(world.notice.get()).toEqual({
    tone: "failed",
    text: "Nothing to retry among 4 matching tasks."
  })
})

test("cancel asks with the count, and asks again where more came meanwhile", async () => {
  const { sent, world } = meansOf(
    "operate",
    bulk(3, 0, 0),
    bulk(4, 0, 0),
    bulk(4, 0, 0),
    bulk(4, 0, 0),
    bulk(4, 4, 0)
  )
  await cancelAll(world, { kind: "flood" }, "Cancel matching")
  const first = world.ask.get()
  expect([first?.verb, first?.heading, first?.danger]).toEqual(["Cancel matching", "Cancel 3 tasks?", true])
  expect(first?.body[0]).toBe("Kind “flood”.")
  await first?.run("")
  const second = world.ask.get()
  expect(second?.heading).toBe("Cancel 4 tasks?")
  expect(second?.body[0]).toBe("It was 3 when you were asked; meanwhile it is 4.")
  await second?.run("")
  expect(world.notice.get()).toEqual({ tone: "done", text: "Canceled 4 tasks." })
  expect(sent.map(({ body }) => (body as { readonly dry_run: boolean }).dry_run)).toEqual([
    true,
    true,
    true,
    true,
    false
  ])
})

test("whoever may only read moves nothing", async () => {
  const { sent, world } = meansOf("read")
  await retryAll(world, BLOCKED, "Retry all")
  await cancelAll(world, BLOCKED, "Cancel all")
  expect(sent).toEqual([])
  expect(world.ask.get()).toBeUndefined()
  expect(world.notice.get()?.text).toBe("You may only read. Changing anything needs the role operate.")
})

test("a task that is gone meanwhile is told to be gone, and what is shown is asked for anew", async () => {
  const gone = new Problem(404, "task_not_found", "there is no task t", undefined)
  const { seen, world } = meansOf("operate", gone)
  await retry(world, { task_id: "t", subject: "Drain", kind: "note", status: "completed" })
  expect(world.notice.get()).toEqual({ tone: "failed", text: "there is no task t", hint: undefined })
  expect(seen.refreshed).toBe(1)
})
