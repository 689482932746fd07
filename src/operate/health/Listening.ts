import { Effect } from "effect"
import { isLoopback, isWildcard, plainAddress } from "../../config/Addresses.ts"
import { RuntimeConfig } from "../../config/RuntimeConfig.ts"
import { HostFacts } from "../../dispatch/HostFacts.ts"
import { check } from "./Finding.ts"

const isAddress = (host: string): boolean => host.includes(":") || /^\d+(\.\d+){3}$/.test(host)

/** Whether `serve` could begin where the configuration lets it listen. Who only dispatches needs none of it. */
export const listening = Effect.gen(function* () {
  const { host, tokens } = (yield* RuntimeConfig).http
  const mine = yield* (yield* HostFacts).addresses
  const plain = plainAddress(host.replace(/^\[(.*)\]$/, "$1"))
  const isElsewhere =
    !isLoopback(host) &&
    !isWildcard(host) &&
    isAddress(host) &&
    !mine.some((one) => plainAddress(one) === plain)
  return check(
    "http",
    [],
    [
      ...(!isLoopback(host) && tokens.length === 0
        ? [
            `http.host ${host} is not loopback and http.tokens is empty: serve will not begin; add a token, or set http.host to 127.0.0.1`
          ]
        : []),
      ...(isElsewhere
        ? [
            `http.host ${host} is no address of this host: serve will not begin; this host has ${mine.join(", ")}`
          ]
        : [])
    ]
  )
})
