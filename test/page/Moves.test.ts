import { expect, test } from "bun:test"
import { cell } from "../../src/page/Cell.ts"
import { cancelAll, type Filter, retry, retryAll } from "../../src/page/Moves.ts"
import type { Ask, Notice, World } from "../../src/page/World.ts"

interface Sent {
  readonly path: string
  readonly body: unknown
}

/** So much of a world as moves need; what is sent is answered one after the other. */
const worldOf = (role: "read" | "operate", ...answers: ReadonlyArray<unknown>) => {
  const sent: Array<Sent> = []
  const left = [...answers]
  const parts = {
    api: {
      get: async () => left.shift(),
      post: async (path: string, body: unknown) => {
        sent.push({ path, body })
        return left.shift()
      }
    },
    role: cell<"read" | "operate" | undefined>(role),
    ask: cell<Ask | undefined>(undefined),
    notice: cell<Notice | undefined>(undefined)
  }
  return { sent, world: parts as unknown as World }
}

const BLOCKED: Filter = { status: ["blocked"] }
const bulk = (matched: number, moved: number, refused: number) => ({ matched, moved, refused })

test("retry does not ask, of one as of many, and tells how many were moved", async () => {
  const { sent, world } = worldOf("operate", bulk(131, 131, 0))
  await retryAll(world, BLOCKED)
  expect(world.ask.get()).toBeUndefined()
  expect(sent).toEqual([{ path: "/api/tasks/retry", body: { filter: BLOCKED, dry_run: false } }])
  expect(world.notice.get()).toEqual({ tone: "done", text: "Retried 131 tasks." })
  const one = worldOf("operate", {})
  await retry(one.world, { task_id: "t", subject: "Drain", kind: "note", status: "blocked" })
  expect(one.world.ask.get()).toBeUndefined()
  expect(one.world.notice.get()?.text).toBe("Retried “Drain”.")
})

test("what could not be retried is told, and that there was nothing to", async () => {
  const some = worldOf("operate", bulk(3, 2, 1))
  await retryAll(some.world, BLOCKED)
  expect(some.world.notice.get()).toEqual({ tone: "failed", text: "Retried 2 tasks; 1 refused." })
  const none = worldOf("operate", bulk(4, 0, 4))
  await retryAll(none.world, BLOCKED)
  expect(none.world.notice.get()).toEqual({
    tone: "failed",
    text: "Nothing to retry among 4 matching tasks."
  })
})

test("cancel asks with the count, and asks again where more came meanwhile", async () => {
  const { sent, world } = worldOf(
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
  const { sent, world } = worldOf("read")
  await retryAll(world, BLOCKED)
  await cancelAll(world, BLOCKED, "Cancel all")
  expect(sent).toEqual([])
  expect(world.ask.get()).toBeUndefined()
  expect(world.notice.get()?.text).toBe("You may only read. Changing anything needs the role operate.")
})
