import type { Api } from "./Api.ts"
import { type Connection, keepOpen, type News, type Phase, type Standing } from "./Connection.ts"
import type { State } from "./Wire.ts"

const NAME = "agent-runtime:stream"

/** The last event that was told, kept by each tab: whoever leads next goes on from its own. */
const marker = () => {
  let last: string | undefined
  return {
    get: () => last,
    set: (id: string) => {
      last = id
    }
  }
}

export interface Stream extends Connection {
  readonly leave: () => void
}

/** What tabs say to each other: news of the one that leads; and `hello`, by which another asks how things stand. */
type Said = { readonly news: News; readonly id: string | undefined } | { readonly hello: true }

/**
 * The stream of the history, opened by one tab of the browser for all of them where the browser lets tabs agree
 * (secure addresses and loopback), else by each for itself. The tab that has it and leaves hands it on.
 */
export const makeTabs = (api: Api, time: () => number, tell: (news: News) => void) => {
  const last = marker()
  const known: { state?: State; of?: Standing; phase?: Phase } = {}

  const alone = (signal: AbortSignal, say: (news: News) => void): Connection =>
    keepOpen(
      api,
      time,
      last,
      (news) => {
        if (news.tells === "phase") known.phase = news.phase
        if (news.tells === "state" || news.tells === "events") known.state = news.state
        if (news.tells === "state" && news.of !== undefined) known.of = news.of
        tell(news)
        say(news)
      },
      signal
    )

  const join = (): Stream => {
    const ending = new AbortController()
    if (!("locks" in navigator) || typeof BroadcastChannel !== "function") {
      const connection = alone(ending.signal, () => {})
      return { ...connection, leave: () => ending.abort() }
    }
    const channel = new BroadcastChannel(NAME)
    let leading: Connection | undefined
    const say = (news: News) => channel.postMessage({ news, id: last.get() } satisfies Said)
    const hello = () => {
      if (!ending.signal.aborted) channel.postMessage({ hello: true } satisfies Said)
    }
    const greet = ({ now }: Connection) => {
      const { of, phase, state } = known
      if (state !== undefined) say({ tells: "state", state, of })
      if (phase?.is === "live") return say({ tells: "phase", phase })
      // Whoever asks may have signed in just now: that a token is wanted is told when it still is.
      if (phase !== undefined && phase.locked !== true) say({ tells: "phase", phase })
      now()
    }
    channel.onmessage = ({ data }: { readonly data: Said }) => {
      if ("hello" in data) {
        if (leading !== undefined) greet(leading)
      } else if (leading === undefined) {
        if (data.id !== undefined) last.set(data.id)
        tell(data.news)
      }
    }
    hello()
    void navigator.locks
      .request(NAME, { signal: ending.signal }, () => {
        if (ending.signal.aborted) return
        leading = alone(ending.signal, say)
        return new Promise<void>((done) =>
          ending.signal.addEventListener("abort", () => done(), { once: true })
        )
      })
      .catch(() => {})
    return {
      now: () => (leading === undefined ? hello() : leading.now()),
      leave: () => {
        ending.abort()
        channel.close()
      }
    }
  }
  return { join }
}
