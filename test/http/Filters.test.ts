import { expect } from "bun:test"
import { Effect } from "effect"
import { it } from "../support/effect.ts"
import { api, apiWorld, problemIn } from "./api.ts"

const STATUSES =
  "pending, running, completed, retryable_failure, permanent_failure, blocked, operator_canceled"

it.effect("a filter in which nothing is finds neither all nor nothing: it is refused by its name", () =>
  Effect.gen(function* () {
    const { ask } = yield* api()
    const text = "expected text that can be seen, or no such filter"
    const list = `expected one or several of ${STATUSES}, separated by commas`
    for (const [query, wrong] of [
      ["kind=", `kind: found ""; ${text}`],
      ["source=%20", `source: found " "; ${text}`],
      ["status=", `status: found ""; ${list}`],
      ["status=,blocked", `status: found ""; ${list}`]
    ]) {
      const told = yield* ask(`/api/tasks?${query}`)
      expect([told.status, problemIn(told.json).error]).toEqual([400, wrong ?? ""])
    }
    for (const filter of [{ kind: "" }, { source: " " }]) {
      const told = yield* ask("/api/tasks/cancel", { body: { filter } })
      expect([told.status, problemIn(told.json).error]).toEqual([400, expect.stringContaining(text)])
    }
  }).pipe(Effect.scoped, Effect.provide(apiWorld()))
)

it.effect("who moves all is told what to name instead, as a body names it: a status, or a list of some", () =>
  Effect.gen(function* () {
    const { ask } = yield* api()
    const moved = (move: string, filter: object) =>
      Effect.map(ask(`/api/tasks/${move}`, { body: { filter } }), ({ json, status }) => ({
        status,
        error: status === 200 ? "" : problemIn(json).error
      }))
    for (const [move, statuses, what] of [
      ["cancel", ["pending", "retryable_failure", "blocked"], "all that waits"],
      ["retry", ["blocked"], "all that waits for an operator"]
    ] as const) {
      expect((yield* moved(move, {})).error).toEndWith(`; "status": ${JSON.stringify(statuses)} is ${what}`)
      expect((yield* moved(move, { status: statuses })).status).toBe(200)
      for (const status of ["pending,blocked", []])
        expect((yield* moved(move, { kind: "a", status })).error).toEndWith(
          `; expected one of ${STATUSES}, or a list of at least one of them`
        )
      expect((yield* moved(move, { status: "blockd" })).error).toEndWith("; did you mean `blocked`?")
    }
  }).pipe(Effect.scoped, Effect.provide(apiWorld()))
)
