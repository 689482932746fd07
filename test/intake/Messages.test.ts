import { describe, expect } from "bun:test"
import { Effect, Option } from "effect"
import { Sqlite } from "../../layers/store/Sqlite.ts"
import { now } from "../../src/domain/Time.ts"
import { Store } from "../../src/store/Store.ts"
import {
  answer,
  DOOR,
  detailsOf,
  failing,
  queue,
  ran,
  taskOf,
  typesOf,
  world,
  yields
} from "../dispatch/world.ts"
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

  it.effect("are not put out again by a retry; new ones are", () => {
    const turns = [
      [{ type: "discord", text: "hi" }],
      [
        { text: "hi", type: "discord" },
        { type: "discord", text: "more" }
      ]
    ]
    let at = 0
    const local = () => Effect.sync(() => answer({ external_messages: turns[at++] }))
    return Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      const store = yield* Store
      yield* store.tasks.retry(id, Option.none(), { at: yield* now, actor: DOOR.actor })
      yield* ran
      expect((yield* outbox).map(({ message_json }) => message_json)).toEqual([
        '{"type":"discord","text":"hi"}',
        '{"type":"discord","text":"more"}'
      ])
      expect(yield* reasons(id)).toEqual([
        expect.stringMatching(/^it was put out before, as message [0-9a-f-]{36}$/)
      ])
    }).pipe(
      Effect.provide(
        world({ adapters: { local }, settings: { profiles: new Map([["lumen", profile(allows)]]) } })
      )
    )
  })

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

  const sent = (own: Record<string, unknown>, ...messages: ReadonlyArray<Record<string, unknown>>) =>
    Effect.gen(function* () {
      const id = yield* queue()
      yield* ran
      return { sent: (yield* outbox).map((row) => row.message_json), refused: yield* reasons(id) }
    }).pipe(Effect.provide(sending(messages, { ...allows, ...own })))

  const policy = (name: string) => ({ tool_policy: { [name]: false } })
  const withheld = { integration_policies: { discord: "none", github: "bridge-only", aibtc: "supervised" } }
  const forbidden: ReadonlyArray<
    readonly [own: Record<string, unknown>, message: Record<string, unknown>, why: string]
  > = [
    [policy("allow_outbound_email"), { type: "email" }, "tool policy says allow_outbound_email: false"],
    [
      policy("allow_github_comments"),
      { type: "GitHub-comment" },
      "tool policy says allow_github_comments: false"
    ],
    [
      policy("allow_discord_dm"),
      { service: "discord", kind: "dm" },
      "tool policy says allow_discord_dm: false"
    ],
    [policy("allow_messages"), { text: "hi" }, "tool policy says allow_messages: false"],
    [withheld, { type: "discord_reply" }, "integration policies say discord: none"],
    [withheld, { integration: "Discord" }, "integration policies say discord: none"],
    ...[
      { to: "discord" },
      { via: "Discord DM" },
      { bridge: "discord" },
      { channel: ["discord"] },
      { channel: { name: "discord" } },
      { discord: { text: "hi" } }
    ].map((message) => [withheld, message, "integration policies say discord: none"] as const),
    ...[{ to: "olga@example.org" }, { channel: "mail" }, { medium: "e-mail" }].map(
      (message) =>
        [policy("allow_outbound_email"), message, "tool policy says allow_outbound_email: false"] as const
    )
  ]
  for (const [own, message, why] of forbidden)
    it.effect(`${JSON.stringify(message)} is refused where the ${why}`, () =>
      Effect.map(sent(own, message), (found) =>
        expect(found).toEqual({ sent: [], refused: [`the profile's ${why}`] })
      )
    )

  it.effect("of another sort than what is forbidden go out", () =>
    Effect.gen(function* () {
      const messages = [
        { type: "github" },
        { type: "aibtc" },
        { text: "discord" },
        { type: "github", discord: "x" }
      ]
      expect((yield* sent(withheld, ...messages)).sent).toHaveLength(4)
      const others = {
        tool_policy: { allow_discord_dm: false, allow_repo_changes: false, allow_email: false }
      }
      expect(yield* sent(others, { type: "discord" }, { type: "repo", kind: "changes" })).toEqual({
        sent: ['{"type":"discord"}', '{"type":"repo","kind":"changes"}'],
        refused: []
      })
    })
  )

  it.effect("are at most 1,000 of one outcome; the rest is refused in one event", () =>
    Effect.gen(function* () {
      const { refused, sent: out } = yield* sent({}, ...Array.from({ length: 1_003 }, (_, n) => ({ n })))
      expect(out).toHaveLength(1_000)
      expect(refused).toEqual(["one outcome sends at most 1,000, this one asked for 1,003"])
    })
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
