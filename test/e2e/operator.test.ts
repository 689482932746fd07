import { expect, setDefaultTimeout, test } from "bun:test"
import { readdir } from "node:fs/promises"
import { errorOf, inPlace, queue, scripted, story } from "./inPlace.ts"
import { beside } from "./resident.ts"

setDefaultTimeout(60_000)

const WAITS = "if [ ! -f free ]; then sleep 600; fi; echo done"

test("many tasks are canceled and retried by filter, counted first, each with the common mark", () =>
  inPlace({}, async (place) => {
    const ids = [await queue(place, { kind: "flood" }), await queue(place, { kind: "flood" })]
    const other = await queue(place, { kind: "other" })
    const flood = ["--matching", "--kind", "flood"]
    expect(await place.json(["task-cancel", ...flood, "--dry-run"])).toMatchObject({
      matched: 2,
      moved: 0,
      refused: 0
    })
    expect((await story(place, other)).events).toHaveLength(1)
    const told = await place.json(["task-cancel", ...flood, "--status", "pending,blocked"])
    expect(told).toMatchObject({ matched: 2, moved: 2, refused: 0 })
    for (const id of ids)
      expect((await story(place, id)).events.at(-1)).toMatchObject({
        event_type: "task_operator_canceled",
        detail: { bulk_id: (told as { readonly bulk_id: string }).bulk_id }
      })
    expect(await place.json(["task-retry", ...flood])).toMatchObject({ matched: 2, moved: 2, refused: 0 })
    for (const args of [["task-cancel", "--matching"], ["task-retry"], ["task-cancel", "--kind", "x"]]) {
      const refused = await place.run([...args, "-o", "json"])
      expect([args, refused.code, refused.stdout]).toEqual([args, 2, ""])
    }
  }))

test("of two operators one wins, and the other is told who did what and when; an id may be begun", () =>
  inPlace({}, async (place) => {
    const id = await queue(place)
    const begun = id.slice(0, -2)
    const cancel = (name: string) => place.run(["task-cancel", begun, "-o", "json"], { env: { USER: name } })
    const both = await Promise.all([cancel("ada"), cancel("bert")])
    expect(both.map((one) => one.code).sort()).toEqual([0, 1])
    const [winner, loser] = both[0]?.code === 0 ? (["ada", both[1]] as const) : (["bert", both[0]] as const)
    const { code, error } = errorOf(loser!)
    expect(code).toBe("move_refused")
    expect(error).toMatch(new RegExp(`operator_canceled already; ${winner} \\(cli\\) canceled it at \\d{4}-`))
    const twin = await place.run(["task-show", "00000000", "-o", "json"])
    expect([twin.code, errorOf(twin).code]).toEqual([1, "task_not_found"])
  }))

test("stop --now pauses and ends what runs, which the dispatcher does; without --now it is wrong usage", () =>
  inPlace(scripted(WAITS), (place) =>
    beside(place, async (follow, begin) => {
      const id = await queue(place)
      const next = await queue(place)
      begin()
      await follow.told("task_started", id)
      expect((await story(place, next)).waiting).toMatchObject({
        reason: "concurrency",
        detail: "1 of 1 attempts are running"
      })
      expect((await place.run(["stop"])).code).toBe(2)
      expect(await place.json(["stop", "--now", "--reason", "wrong key"])).toMatchObject({
        paused: true,
        reason: "wrong key",
        canceled: { matched: 1, moved: 1, refused: 0 }
      })
      await follow.told("task_operator_canceled", id)
      expect((await story(place, id)).task.status).toBe("operator_canceled")
      expect((await story(place, next)).waiting).toMatchObject({ reason: "paused" })
    })
  ))

test("with no dispatcher alive stop --now ends what a dead one left, and status does not call it running", () =>
  inPlace(scripted(WAITS), (place) =>
    beside(place, async (follow, begin) => {
      const id = await queue(place)
      const dispatcher = begin()
      await follow.told("task_started", id)
      await dispatcher.ended("SIGKILL")
      expect(await place.json(["status"])).toMatchObject({
        runtime_state: "idle",
        counts: { running: 1 },
        dispatcher: { held: false }
      })
      expect((await story(place, id)).waiting).toMatchObject({
        reason: "no_dispatcher",
        detail: expect.stringContaining("is gone")
      })
      expect(await place.json(["stop", "--now"])).toMatchObject({ canceled: { moved: 1 } })
      expect((await story(place, id)).task.status).toBe("operator_canceled")
    })
  ))

test("intake --dry-run shows profile, adapter, prompt and what is waited for; nothing is queued or written", () =>
  inPlace({ config: { adapters: { local: { mode: "script", command: "./gone.sh" } } } }, async (place) => {
    const intent = JSON.stringify({ kind: "note", source: "e2e", payload: { look: "here" } })
    const told = await place.json(["intake", "--dry-run", "--json", intent])
    expect(told).toMatchObject({
      valid: true,
      profile: "plain",
      adapter: "local",
      fallbacks: [],
      waiting: { reason: "probe", detail: expect.stringContaining("gone.sh") },
      prompt: expect.stringContaining('"look": "here"'),
      budget: []
    })
    expect(await place.json(["task-list"])).toEqual({ tasks: [], next: null })
    expect(await place.json(["events"])).toEqual({ events: [] })
    expect(await readdir(place.path("state", "artifacts"))).toEqual([])
    const bad = await place.run(["intake", "--dry-run", "--json", '{"kind":"note"}', "-o", "json"])
    expect([bad.code, errorOf(bad).code]).toEqual([2, "input_invalid"])
  }))

test("the manual page is printed by the program itself", () =>
  inPlace({}, async (place) => {
    const { code, stdout } = await place.run(["--man"])
    expect(code).toBe(0)
    expect(stdout).toStartWith('.TH "AGENT\\-RUNTIME" 1')
  }))
