import { describe, expect } from "bun:test"
import { Effect } from "effect"
import { it } from "../support/effect.ts"
import { api, apiWorld, type Told } from "./api.ts"

type Ask = Effect.Effect.Success<ReturnType<typeof api>>["ask"]

const within = (body: (ask: Ask) => Effect.Effect<unknown>) =>
  Effect.flatMap(api(), ({ ask }) => body(ask)).pipe(Effect.provide(apiWorld()))

const headersOf = ({ headers, status }: Told) => ({
  status,
  type: headers.get("content-type"),
  cache: headers.get("cache-control"),
  policy: headers.get("content-security-policy")?.split(";")[1]?.trim()
})

const filesIn = (html: string): ReadonlyArray<string> =>
  [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path ?? "")

describe("the page", () => {
  it.effect("is at the root and at every address below /ui, asked for anew each time", () =>
    within((ask) =>
      Effect.gen(function* () {
        const root = yield* ask("/")
        expect(headersOf(root)).toEqual({
          status: 200,
          type: "text/html; charset=utf-8",
          cache: "no-cache",
          policy: "script-src 'self'"
        })
        for (const path of ["/ui", "/ui/blocked", "/ui/tasks/1?attempt=2", "/ui/no/such/view"])
          expect((yield* ask(path)).text).toBe(root.text)
      })
    )
  )

  it.effect("holds nothing inline and nothing of another host", () =>
    within((ask) =>
      Effect.gen(function* () {
        const { text } = yield* ask("/")
        expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|:\/\//)
        expect(filesIn(text)).toHaveLength(3)
      })
    )
  )

  it.effect("is kept by who has it: 304, with the policy of the page and not that of data", () =>
    within((ask) =>
      Effect.gen(function* () {
        const etag = (yield* ask("/")).headers.get("etag") ?? ""
        for (const asked of [etag, `W/${etag}`, `"another", W/"x,y" , ${etag}`, "*", " * "]) {
          const kept = yield* ask("/ui/queue", { headers: { "if-none-match": asked } })
          expect([asked, headersOf(kept)]).toMatchObject([
            asked,
            { status: 304, policy: "script-src 'self'" }
          ])
          expect(kept.text).toBe("")
        }
        for (const asked of [
          '"another"',
          etag.replaceAll('"', ""),
          '"*"',
          `${etag.slice(0, -1)}x"`,
          '"x',
          ""
        ])
          expect([asked, (yield* ask("/", { headers: { "if-none-match": asked } })).status]).toEqual([
            asked,
            200
          ])
      })
    )
  )

  it.effect("has files under their hashes, kept for ever; a hash that is not its own is not there", () =>
    within((ask) =>
      Effect.gen(function* () {
        const files = filesIn((yield* ask("/")).text)
        for (const path of files) {
          expect(path).toMatch(/^\/assets\/\w+-[0-9a-f]{16}\.(js|css|svg)$/)
          const { cache, status } = headersOf(yield* ask(path))
          expect([status, cache]).toEqual([200, "private, max-age=31536000, immutable"])
        }
        for (const path of ["/assets/page-0000000000000000.js", "/assets/", "/assets/../etc/passwd"])
          expect((yield* ask(path)).status).toBe(404)
      })
    )
  )

  it.effect("is packed for who can unpack it", () =>
    within((ask) =>
      Effect.gen(function* () {
        const packed = yield* ask("/", { headers: { "accept-encoding": "br, gzip" } })
        expect(packed.headers.get("content-encoding")).toBe("gzip")
        expect(packed.headers.get("vary")).toContain("accept-encoding")
        expect((yield* ask("/")).headers.get("content-encoding")).toBeNull()
      })
    )
  )

  it.effect("takes GET and HEAD alone", () =>
    within((ask) =>
      Effect.gen(function* () {
        const refused = yield* ask("/ui/blocked", { body: {} })
        expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"])
      })
    )
  )
})
