import { describe, expect } from "bun:test"
import { Effect, TestClock } from "effect"
import { it } from "../support/effect.ts"
import { type Asked, api, apiWorld, type Given, OPERATOR, problemIn, READER, TOKENS } from "./api.ts"

const within = (
  given: Given,
  body: (ask: Effect.Effect.Success<ReturnType<typeof api>>["ask"]) => Effect.Effect<unknown>
) => Effect.flatMap(api(given), ({ ask }) => body(ask)).pipe(Effect.provide(apiWorld(given)))

const LAN: Given = { doors: { host: "0.0.0.0" }, tokens: TOKENS }
const bearer = (token: string): Asked => ({ headers: { authorization: `Bearer ${token}` } })
const pausing = (headers: Readonly<Record<string, string>> = {}): Asked => ({
  headers,
  body: { paused: true }
})

describe("on a loopback address", () => {
  it.effect("anybody may read and steer, and stands in the history as loopback", () =>
    within({}, (ask) =>
      Effect.gen(function* () {
        expect((yield* ask("/api/state")).status).toBe(200)
        expect((yield* ask("/api/pause", pausing())).status).toBe(200)
        expect((yield* ask("/api/events?since=0")).json).toMatchObject({
          events: [{ actor: { surface: "http", name: "loopback" } }]
        })
      })
    )
  )

  it.effect("loopbackRole read leaves reading, none asks for a token", () =>
    Effect.gen(function* () {
      yield* within({ http: { loopbackRole: "read" } }, (ask) =>
        Effect.gen(function* () {
          expect((yield* ask("/api/state")).status).toBe(200)
          const refused = yield* ask("/api/pause", pausing())
          expect([refused.status, problemIn(refused.json).code]).toEqual([403, "role_read"])
          expect(problemIn(refused.json).error).toStartWith("without a token anybody may read here")
        })
      )
      yield* within({ http: { loopbackRole: "none" }, tokens: TOKENS }, (ask) =>
        Effect.gen(function* () {
          expect((yield* ask("/api/state")).status).toBe(401)
          expect((yield* ask("/api/state", bearer(READER))).status).toBe(200)
        })
      )
    })
  )
})

describe("on any other address", () => {
  it.effect("every request but the heartbeat and the login form needs a token", () =>
    within(LAN, (ask) =>
      Effect.gen(function* () {
        for (const path of [
          "/api/state",
          "/api/tasks",
          "/api/stream",
          "/api/openapi.json",
          "/artifacts",
          "/nowhere",
          "/"
        ])
          expect([path, (yield* ask(path)).status]).toEqual([path, 401])
        expect((yield* ask("/api/heartbeat")).json).toMatchObject({ ok: true })
        const form = (yield* ask("/login")).text
        expect(form).toContain("Sign in")
        // Without one a browser asks for /favicon.ico, which needs a token.
        expect(form).toContain('<link rel="icon" href="data:,">')
        const refused = yield* ask("/api/state")
        expect(problemIn(refused.json).code).toBe("token_needed")
        expect(refused.headers.get("www-authenticate")).toStartWith("Bearer")
      })
    )
  )

  it.effect("a token allows what its role does, and its name is the actor", () =>
    within(LAN, (ask) =>
      Effect.gen(function* () {
        expect((yield* ask("/api/state", bearer(READER))).status).toBe(200)
        expect((yield* ask("/api/pause", pausing({ authorization: `Bearer ${READER}` }))).status).toBe(403)
        expect((yield* ask("/api/pause", pausing({ authorization: `Bearer ${OPERATOR}` }))).status).toBe(200)
        const { json } = yield* ask("/api/events?since=0", bearer(READER))
        expect(json).toMatchObject({ events: [{ actor: { surface: "http", name: "olga" } }] })
      })
    )
  )

  it.effect(
    "a browser gets the form in place of a page, and a cookie that scripts cannot read for its token",
    () =>
      within(LAN, (ask) =>
        Effect.gen(function* () {
          const form = yield* ask("/ui/tasks/1", { headers: { accept: "text/html" } })
          expect([form.status, form.text.includes('name="next" value="/ui/tasks/1"')]).toEqual([401, true])
          const signed = yield* ask("/login", {
            method: "POST",
            headers: { "content-type": "application/x-www-form-urlencoded" },
            body: `token=${encodeURIComponent(OPERATOR)}&next=%2Fui%2Ftasks%2F1`
          })
          expect([signed.status, signed.headers.get("location")]).toEqual([303, "/ui/tasks/1"])
          const cookie = signed.headers.get("set-cookie") ?? ""
          expect(cookie).toMatch(
            /^agent_runtime_4314=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/
          )
          expect(cookie).not.toContain(encodeURIComponent(OPERATOR))
          const session = cookie.split(";", 1)[0] ?? ""
          expect((yield* ask("/api/state", { headers: { cookie: session } })).status).toBe(200)
          expect((yield* ask("/api/pause", pausing({ cookie: session }))).status).toBe(200)
          const forged = session.replace(/.$/, (last) => (last === "0" ? "1" : "0"))
          expect((yield* ask("/api/state", { headers: { cookie: forged } })).status).toBe(401)
          const wrong = yield* ask("/login", { body: { token: "a wrong token" } })
          expect([wrong.status, problemIn(wrong.json).code]).toEqual([401, "token_unknown"])
          expect((yield* ask("/login", { body: { token: READER } })).json).toEqual({
            ok: true,
            name: "rita",
            role: "read"
          })
        })
      )
  )

  it.effect("a form sends nobody to another server", () =>
    within(LAN, (ask) =>
      Effect.gen(function* () {
        for (const next of [
          "//evil.example/",
          "https://evil.example/",
          "/\\evil.example",
          "javascript:alert(1)"
        ]) {
          const { headers } = yield* ask("/login", {
            method: "POST",
            headers: { "content-type": "application/x-www-form-urlencoded" },
            body: `token=${encodeURIComponent(READER)}&next=${encodeURIComponent(next)}`
          })
          expect([next, headers.get("location")]).toEqual([next, "/"])
        }
      })
    )
  )

  it.effect("wrong tokens are throttled for as long as they are told, a right one always passes", () =>
    within(LAN, (ask) =>
      Effect.gen(function* () {
        const from = "192.168.7.50"
        const wrong: Asked = { headers: { authorization: "Bearer nope" }, from }
        const sent = yield* Effect.replicateEffect(ask("/api/state", wrong), 40, { concurrency: "unbounded" })
        const statuses = sent.map(({ status }) => status).sort()
        expect(statuses).toEqual([...Array(10).fill(401), ...Array(30).fill(429)])
        const right = ask("/api/state", { ...bearer(READER), from })
        expect((yield* right).status).toBe(200)
        yield* TestClock.adjust("20 seconds")
        const told = yield* ask("/api/state", wrong)
        expect([told.status, told.headers.get("retry-after")]).toEqual([429, "40"])
        yield* TestClock.adjust("39999 millis")
        expect((yield* ask("/api/state", wrong)).headers.get("retry-after")).toBe("1")
        expect((yield* right).status).toBe(200)
        yield* TestClock.adjust("1 millis")
        expect((yield* ask("/api/state", wrong)).status).toBe(401)
        expect((yield* ask("/api/state", { ...wrong, from: "192.168.7.51" })).status).toBe(401)
      })
    )
  )
})

describe("a request", () => {
  const from = (host: string): Asked => ({ headers: { host } })

  it.effect("to another name than this host's own is refused, whoever sends it", () =>
    within({ http: { allowedHosts: ["lumen.lan"] } }, (ask) =>
      Effect.gen(function* () {
        for (const host of [
          "localhost:4314",
          "LOCALHOST",
          "127.0.0.1",
          "127.9.9.9:1",
          "[::1]:4314",
          "192.168.7.9",
          "[fe80::7]",
          "lumen.lan:4314"
        ])
          expect([host, (yield* ask("/api/state", from(host))).status]).toEqual([host, 200])
        for (const host of [
          "evil.example",
          "evil.example:4314",
          "192.168.7.10",
          "localhost.evil.example",
          "x@localhost",
          "",
          "127.0.0.1.nip.io",
          "[::2]"
        ]) {
          const told = yield* ask("/api/heartbeat", from(host))
          expect([host, told.status]).toEqual([host, 403])
          expect(problemIn(told.json).code).toBe("host_not_allowed")
        }
      })
    )
  )

  it.effect("of another origin may change nothing, and reads nothing across", () =>
    within({ http: { allowedOrigins: ["https://ops.example"] } }, (ask) =>
      Effect.gen(function* () {
        const foreign: ReadonlyArray<Readonly<Record<string, string>>> = [
          { origin: "https://evil.example" },
          { origin: "null" },
          { origin: "http://127.0.0.1:9999" },
          { "sec-fetch-site": "cross-site" },
          { "sec-fetch-site": "same-site" }
        ]
        for (const headers of foreign) {
          const told = yield* ask("/api/pause", pausing(headers))
          expect([headers, told.status]).toEqual([headers, 403])
          expect(problemIn(told.json).code).toBe("origin_not_allowed")
          expect(told.headers.get("access-control-allow-origin")).toBeNull()
        }
        expect((yield* ask("/api/pause")).json).toMatchObject({ paused: false })
        const own = { origin: "http://127.0.0.1:4314", "sec-fetch-site": "same-origin" }
        expect((yield* ask("/api/pause", pausing(own))).status).toBe(200)
        const allowed = yield* ask("/api/pause", pausing({ origin: "https://ops.example" }))
        expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([
          200,
          "https://ops.example"
        ])
        const asked = yield* ask("/api/pause", {
          method: "OPTIONS",
          headers: { origin: "https://ops.example" }
        })
        expect([asked.status, asked.headers.get("access-control-allow-methods")]).toEqual([
          204,
          "GET, HEAD, POST"
        ])
      })
    )
  )

  it.effect("is told to isolate its pages where browsers heed that: on loopback, and over https", () =>
    within(LAN, (ask) =>
      Effect.gen(function* () {
        const told = (headers: Readonly<Record<string, string>>) =>
          Effect.map(ask("/login", { headers }), (answer) => answer.headers.get("cross-origin-opener-policy"))
        expect(yield* told({ host: "192.168.7.9:4314" })).toBeNull()
        // Browsers tell this to addresses that they trust alone: a proxy that speaks https stands before it.
        expect(yield* told({ host: "192.168.7.9:4314", "sec-fetch-site": "none" })).toBe("same-origin")
        expect(yield* told({ host: "localhost:4314" })).toBe("same-origin")
      })
    )
  )

  it.effect("is answered with headers that let a browser do nothing with it but show it", () =>
    within({}, (ask) =>
      Effect.gen(function* () {
        for (const path of ["/api/state", "/nowhere", "/login", "/api/docs"]) {
          const { headers } = yield* ask(path)
          expect(headers.get("x-content-type-options")).toBe("nosniff")
          expect(headers.get("x-frame-options")).toBe("DENY")
          expect(headers.get("cross-origin-opener-policy")).toBe("same-origin")
          // A form that says nothing of where it comes from says that it comes from nowhere.
          const isForm = headers.get("content-type")?.startsWith("text/html") === true
          expect(headers.get("referrer-policy")).toBe(isForm ? "same-origin" : "no-referrer")
          const policy = headers.get("content-security-policy") ?? ""
          expect(policy).toContain("default-src 'none'")
          expect(policy).not.toContain("unsafe")
          expect(policy).not.toContain("http")
        }
      })
    )
  )
})
