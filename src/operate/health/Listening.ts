import { Effect, Either, Option } from "effect"
import { isLoopback, isWildcard, plainAddress } from "../../config/Addresses.ts"
import { sentence } from "../../config/Issues.ts"
import { RuntimeConfig, type Settings, type Token } from "../../config/RuntimeConfig.ts"
import { type PlacedToken, sameTokens, shortToken } from "../../config/TokenRules.ts"
import { HostFacts } from "../../dispatch/HostFacts.ts"
import { check } from "./Finding.ts"

const isAddress = (host: string): boolean => host.includes(":") || /^\d+(\.\d+){3}$/.test(host)

interface Looked {
  readonly placed: PlacedToken
  readonly problems: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

const looked = ({ name, secret }: Token): Effect.Effect<Looked, never, HostFacts> =>
  Effect.gen(function* () {
    if ("sha256" in secret)
      return { placed: { name, key: "sha256", sha256: secret.sha256 }, problems: [], warnings: [] }
    const facts = yield* HostFacts
    const { path } = secret.tokenFile
    const exposed = yield* facts.exposure(path)
    const token = yield* facts.token(path)
    const placed = (sha256: string | undefined): PlacedToken => ({ name, key: "tokenFile", sha256 })
    if (Either.isRight(token))
      return {
        placed: placed(token.right.sha256),
        problems: [],
        warnings: shortToken(name, path, token.right)
      }
    // A file that is missing or open to others is told with the other rights.
    const isTold = Option.match(exposed, { onNone: () => true, onSome: ({ readable }) => readable })
    const { remedy, wrong } = token.left
    const problem = `http.tokens: token ${name} cannot be used: ${wrong}: ${path}; ${remedy}`
    return { placed: placed(undefined), problems: isTold ? [] : [problem], warnings: [] }
  })

const listenWarnings = ({ host, loopbackRole, tokens }: Settings["http"], mine: ReadonlyArray<string>) => {
  const plain = plainAddress(host.replace(/^\[(.*)\]$/, "$1"))
  const isElsewhere =
    !isLoopback(host) &&
    !isWildcard(host) &&
    isAddress(host) &&
    !mine.some((one) => plainAddress(one) === plain)
  return [
    ...(!isLoopback(host) && tokens.length === 0
      ? [
          `http.host ${host} is not loopback and http.tokens is empty: serve will not begin; add a token, or set http.host to 127.0.0.1`
        ]
      : []),
    ...(isLoopback(host) && loopbackRole === "none" && tokens.length === 0
      ? [
          `http.loopbackRole is none and http.tokens is empty: nobody can get in; add a token, or set http.loopbackRole to "read" or "operate"`
        ]
      : []),
    ...(isElsewhere
      ? [
          `http.host ${host} is no address of this host: serve will not begin; this host has ${mine.join(", ")}`
        ]
      : [])
  ]
}

/** Whether `serve` could begin where the configuration lets it listen, and who could get in. Who only dispatches needs none of it. */
export const listening = Effect.gen(function* () {
  const { http } = yield* RuntimeConfig
  const mine = yield* (yield* HostFacts).addresses
  const tokens = yield* Effect.forEach(http.tokens, looked)
  return check(
    "http",
    [
      ...tokens.flatMap(({ problems }) => problems),
      ...sameTokens(tokens.map(({ placed }) => placed)).map(sentence)
    ],
    [...listenWarnings(http, mine), ...tokens.flatMap(({ warnings }) => warnings)]
  )
})
