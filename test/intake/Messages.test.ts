import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { answer, detailsOf, failing, queue, ran, taskOf, typesOf, world, yields } from "../dispatch/world.ts"
import { it } from "../support/effect.ts"
import { profile } from "../support/settings.ts"

const sending = (messages: ReadonlyArray<unknown>, own: Record<string, unknown>) =>
  world({
    adapters: { local: yields(answer({ external_messages: messages })) },
    settings: { profiles: new Map([["lumen", profile(own)]]) }
  })

const allows = { result_schema: { allow_external_messages: true } }

const outbox = Effect.flatMap(Sqlite, (sqlite) =>
  sqlite.rows({ text: "SELECT task_id, attempt_id, message_json FROM outbox ORDER BY id", names: [] })
)

const reasons = (id: Parameters<typeof taskOf>[0]) =>
  Effect.map(detailsOf(id, "follow_up_refused"), (details) => details.map(({ reason }) => reason))

describe("messages of a completed outcome", () => {
  it.effect("go into the outbox with their task and attempt, told in the history", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      const { attemptId } = yield* ran
      expect(yield* outbox).toEqual([
        { task_id: id, attempt_id: attemptId, message_json: '{"type":"discord","text":"hi"}' }
      ])
      expect(yield* typesOf(id)).toContain("outbox_added")
    }).pipe(Effect.provide(sending([{ type: "discord", text: "hi" }], allows)))
  )

  it.effect("go nowhere where the profile does not allow them, and that is told with the message", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect((yield* taskOf(id)).status).toBe("completed")
      expect(yield* outbox).toEqual([])
      expect(yield* detailsOf(id, "follow_up_refused")).toEqual([
        {
          what: "external_message",
          reason: "the profile does not allow external messages",
          asked: { text: "hi" }
        }
      ])
    }).pipe(Effect.provide(sending([{ text: "hi" }], {})))
  )

  it.effect("go nowhere where the tool policy forbids external posts", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect(yield* outbox).toEqual([])
      expect(yield* reasons(id)).toEqual(["the profile's tool policy says allow_external_post: false"])
    }).pipe(
      Effect.provide(sending([{ text: "hi" }], { ...allows, tool_policy: { allow_external_post: false } }))
    )
  )

  it.effect("of a sort that the tool policy forbids go nowhere, others do", () =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      expect((yield* outbox).map((row) => row.message_json)).toEqual(['{"type":"email"}'])
      expect(yield* reasons(id)).toEqual([
        "the profile's tool policy says allow_discord: false",
        "the profile's tool policy says allow_x_com_post: false"
      ])
    }).pipe(
      Effect.provide(
        sending([{ type: "Discord" }, { channel: "x.com" }, { type: "email" }], {
          ...allows,
          tool_policy: { allow_discord: false, allow_x_com_post: false, allow_email: true }
        })
      )
    )
  )
})

it.effect("an outcome that is not completed sends nothing", () =>
  Effect.gen(function* () {
    yield* queue()
    yield* ran
    expect(yield* outbox).toEqual([])
  }).pipe(
    Effect.provide(
      world({
        adapters: {
          local: yields({
            ...failing,
            ...answer({ status: "blocked", machine_status: "blocked", external_messages: [{ text: "help" }] })
          })
        },
        settings: { profiles: new Map([["lumen", profile(allows)]]) }
      })
    )
  )
)
