import { expect } from "bun:test"
import { Effect, Option } from "effect"
import { openAiChatAdapter } from "../../../layers/adapter/OpenAiChat.ts"
import type { OpenAiChatSettings } from "../../../src/config/AdapterSettings.ts"
import { hastened, it } from "../../support/effect.ts"
import {
  environment,
  execute,
  OUTCOME,
  openAiSettings,
  paced,
  streamed,
  stub
} from "../../support/serverStub.ts"
import { settings as runtime } from "../../support/settings.ts"

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const chunk = (delta: unknown, finish_reason: string | null = null) =>
  data({ model: "stub-2", choices: [{ index: 0, delta, finish_reason }] })
const said = (content: string, finish: string | null = null) => chunk({ content }, finish)
const USAGE = data({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 8 } })

/** An attempt at a server that answers like this, ten times as fast as the clock has it. */
const attempt = (answer: () => Response, changes: Partial<OpenAiChatSettings> = {}) =>
  Effect.gen(function* () {
    const server = yield* stub(answer)
    const settings = openAiSettings(server.url, changes)
    const adapter = openAiChatAdapter({ settings, runtime: runtime(), host: environment })
    const { execution, reason } = yield* hastened(10, execute(adapter))
    return [execution.exitStatus, reason, execution.lastMessage]
  })

/** Pieces, then what keeps a connection open, every 10 ms: a tenth of a second by the attempt's clock. */
const kept =
  (...pieces: ReadonlyArray<string>) =>
  () =>
    paced([...pieces, ...Array<string>(2_000).fill(": keep-alive\n\n")], 10)
const silent =
  (...pieces: ReadonlyArray<string>) =>
  () =>
    streamed(pieces, { hang: true })

const WHOLE = ["ok", "", OUTCOME]
const ENDS = [
  ["stop", WHOLE],
  ["length", ["error", "the answer was cut off (finish_reason length) at the server's limit", OUTCOME]],
  ["abort", ["error", "the answer ended with finish_reason abort and not with stop", OUTCOME]]
] as const

it.live("an answer that is whole is one, whatever its server sends or does not send behind it", () =>
  Effect.gen(function* () {
    for (const [finish, judged] of ENDS)
      for (const answer of [kept, silent])
        expect(yield* attempt(answer(said(OUTCOME, finish)))).toEqual([...judged])
  })
)

it.live("neither silence nor the timeout ends an attempt whose answer is whole as anything else", () =>
  Effect.gen(function* () {
    const patience = { noOutputTimeoutMs: Option.some(4_000) }
    for (const [finish, judged] of ENDS) {
      const answer = silent(said(OUTCOME, finish))
      expect(yield* attempt(answer, patience)).toEqual([...judged])
      expect(yield* attempt(answer, { timeoutMs: 4_500 })).toEqual([...judged])
    }
  })
)

it.live("a model that goes on behind what its server calls an end is heard out, until the timeout", () =>
  Effect.gen(function* () {
    const pieces = [...OUTCOME].map((character) => said(character, "stop"))
    const answer = () => paced([...pieces, USAGE], 10)
    expect(pieces.length).toBeGreaterThan(60)
    expect(yield* attempt(answer)).toEqual(WHOLE)
    // Some servers send an empty text where there is no end yet.
    expect(
      yield* attempt(() => paced([said(OUTCOME.slice(0, 9), ""), said(OUTCOME.slice(9), "stop")], 10))
    ).toEqual(WHOLE)
  })
)

it.live("what was told of tokens stays where a later piece tells none", () =>
  Effect.gen(function* () {
    const server = yield* stub(() =>
      streamed([said(OUTCOME, "stop"), USAGE, data({ choices: [], usage: {} }), "data: [DONE]\n\n"])
    )
    const adapter = openAiChatAdapter({
      settings: openAiSettings(server.url),
      runtime: runtime(),
      host: environment
    })
    expect((yield* execute(adapter)).execution.usage).toMatchObject({
      inputTokens: Option.some(10),
      outputTokens: Option.some(8)
    })
  })
)
