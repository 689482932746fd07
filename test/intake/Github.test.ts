import { describe, expect } from "bun:test"
import { Effect, FastCheck, Schema } from "effect"
import fixture from "../../fixtures/github-pr-merged.json"
import { JsonObject } from "../../src/domain/Json.ts"
import { readIntent } from "../../src/intake/Enqueue.ts"
import { toIntent } from "../../src/intake/Github.ts"
import { it } from "../support/effect.ts"

const paths = (body: JsonObject) =>
  Effect.map(Effect.flip(toIntent(body)), ({ problems }) => problems.map(({ path }) => path))

/** Keys by which a body would like to decide about its own task. */
const HOSTILE = {
  requested_profile: "admin",
  requested_adapter: "codex",
  requested_model: "big",
  profile: "admin",
  adapter: "codex",
  priority: 100,
  args: ["-rf", "/"],
  output_path: "../../etc/passwd",
  required_artifacts: ["x"],
  dedupe_key: "k",
  untrusted: false,
  kind: "operator",
  source: "cli",
  max_attempts: 99,
  available_at: "2099-01-01T00:00:00Z"
}

const webhook = {
  action: "closed",
  number: 7,
  repository: { full_name: "aibtcdev/agent-runtime", private: false },
  sender: { login: "someone" },
  pull_request: {
    number: 7,
    title: "Better words",
    html_url: "https://github.com/aibtcdev/agent-runtime/pull/7",
    merged: true,
    body: "What it does.",
    user: { login: "octo", id: 1 },
    head: { ref: "x" }
  }
}

describe("a GitHub event", () => {
  it.effect("becomes a story task of fixed kind, source and priority", () =>
    Effect.gen(function* () {
      expect(yield* toIntent(fixture)).toEqual({
        kind: "github-story",
        source: "github-bridge",
        priority: 7,
        subject: "aibtcdev/agent-runtime#42: Run every task through one audited pipeline",
        payload: fixture
      })
    })
  )

  it.effect("carries the named fields alone: nothing else in it decides or is carried", () =>
    Effect.gen(function* () {
      expect(yield* toIntent({ ...HOSTILE, ...fixture })).toEqual(yield* toIntent(fixture))
      const hidden = { ...webhook, ...HOSTILE, pull_request: { ...HOSTILE, ...webhook.pull_request } }
      expect(yield* toIntent(hidden)).toEqual(yield* toIntent(webhook))
    })
  )

  it.effect("may say nothing of what it need not tell", () =>
    Effect.gen(function* () {
      const intent = yield* toIntent({ event: "release", repository: "a/b", title: null, number: null })
      expect(intent.subject).toBe("a/b: release")
      const unseen = yield* toIntent({ event: "release", repository: "a/b", title: "\u200b\u3164" })
      expect(unseen.subject).toBe("a/b: release")
    })
  )

  it.effect("without event or repository is refused, with all that is wrong", () =>
    Effect.gen(function* () {
      expect(yield* paths({})).toEqual(["event", "repository"])
      expect(yield* paths({ ...fixture, event: "\u2060" })).toEqual(["event"])
      expect(yield* paths({ ...fixture, repository: "  ", number: "42" })).toEqual(["repository", "number"])
      expect(yield* paths({ ...fixture, title: "half \ud800" })).toEqual(["title"])
    })
  )

  it.effect("with a title of a megabyte has a subject that fits, and the whole title in its payload", () =>
    Effect.gen(function* () {
      const title = "😀".repeat(500_000)
      const intent = yield* toIntent({ ...fixture, title })
      expect(intent.subject!.length).toBeLessThanOrEqual(1_000)
      expect(intent.subject!.isWellFormed()).toBe(true)
      expect(intent.payload.title).toBe(title)
    })
  )

  it.effect("with line breaks and NUL in its title has a subject of one line", () =>
    Effect.gen(function* () {
      const intent = yield* toIntent({ ...fixture, title: "one\n\r\ttwo\0three" })
      expect(intent.subject).toBe("aibtcdev/agent-runtime#42: one twothree")
    })
  )
})

describe("a webhook body of GitHub", () => {
  it.effect("of a closed pull request is understood", () =>
    Effect.gen(function* () {
      expect((yield* toIntent(webhook)).payload).toEqual({
        event: "pull_request.closed",
        repository: "aibtcdev/agent-runtime",
        title: "Better words",
        number: 7,
        author: "octo",
        url: "https://github.com/aibtcdev/agent-runtime/pull/7",
        merged: true,
        summary: "What it does."
      })
    })
  )

  it.effect("that was closed without a merge, by a user that is gone, is understood too", () =>
    Effect.gen(function* () {
      const pull_request = { ...webhook.pull_request, merged: false, body: null, user: null }
      const { payload } = yield* toIntent({ ...webhook, pull_request })
      expect(payload).toMatchObject({ merged: false })
      expect(payload).not.toHaveProperty("author")
      expect(payload).not.toHaveProperty("summary")
    })
  )

  it.effect("of another event says what is missing", () =>
    Effect.gen(function* () {
      expect(yield* paths({ action: "created", issue: {} })).toEqual(["repository", "pull_request"])
    })
  )
})

const Body = Schema.Struct({ event: Schema.String, repository: Schema.String, title: Schema.String })

it.prop("what is accepted is always a sound intent", Body, (body) =>
  Effect.gen(function* () {
    const made = yield* Effect.either(toIntent(body))
    if (made._tag === "Right") yield* readIntent(made.right)
  })
)

it.prop("a body of any shape is an intent or a refusal, never a fault", JsonObject, (body) =>
  Effect.either(toIntent(body))
)

it.effect("no key beside the named ones changes what is made", () =>
  Effect.sync(() => {
    FastCheck.assert(
      FastCheck.property(FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue()), (more) => {
        const known = Object.keys(fixture)
        const others = Object.fromEntries(
          Object.entries(more).filter(([key]) => ![...known, "pull_request", "action"].includes(key))
        )
        expect(Effect.runSync(toIntent({ ...others, ...fixture }))).toEqual(Effect.runSync(toIntent(fixture)))
      })
    )
  })
)
