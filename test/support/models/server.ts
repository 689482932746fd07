import { Schema } from "effect"
import { Chat, complete } from "./chat.ts"
import { Messages, message, printedToMessages } from "./messages.ts"
import { generate, look, OLLAMA_MODEL, Ollama, show } from "./ollama.ts"
import { printedToResponses, Responses, respond } from "./responses.ts"
import { type Answer, answerTo, paceOf, type Scenario, scenarioOf } from "./scenario.ts"

// A stub of the model servers that the drivers talk to: OpenAI's Responses and chat completions, Anthropic's
// Messages, Ollama. `bun server.ts SOCKET` serves them on a port of 127.0.0.1 that it prints, and answers
// questions about what it was asked on a socket in the file system, which is reached from every network.

/** A request as it came in. */
export const Received = Schema.Struct({
  method: Schema.String,
  path: Schema.String,
  scenario: Schema.String,
  authorization: Schema.NullOr(Schema.String),
  body: Schema.String
})
export type Received = typeof Received.Type

const MOST_KEPT = 200

const log: Array<Received> = []
const waiting = new Set<() => void>()

const keep = (received: Received): void => {
  log.push(received)
  if (log.length > MOST_KEPT) log.shift()
  for (const look of waiting) look()
}

const holds = (scenario: string) => log.some((one) => one.scenario === scenario && one.method === "POST")

/** Answers when a request of the scenario has come in, at once where there is one already. */
const received = (scenario: string): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (!holds(scenario)) return
      waiting.delete(look)
      resolve()
    }
    waiting.add(look)
    look()
  })

const read = <A, I>(schema: Schema.Schema<A, I>, body: string): A =>
  Schema.decodeUnknownSync(Schema.parseJson(schema))(body)

type Speaker = (answer: Exclude<Answer, { _tag: "Nothing" }>) => Response

/**
 * What answers on a path: the tool output that the request brings (empty where there are no tools), and how an
 * answer is put.
 */
const speakerOf = (
  path: string,
  body: string,
  scenario: Scenario
): { readonly printed: string | undefined; readonly speak: Speaker } | undefined => {
  const pace = paceOf(scenario)
  if (path.endsWith("/responses")) {
    const request = read(Responses, body)
    return { printed: printedToResponses(request), speak: (answer) => respond(request, answer, pace) }
  }
  if (path.endsWith("/messages")) {
    const request = read(Messages, body)
    return { printed: printedToMessages(request), speak: (answer) => message(request, answer, pace) }
  }
  if (path.endsWith("/chat/completions")) {
    const request = read(Chat, body)
    return { printed: "", speak: (answer) => complete(request, answer, pace) }
  }
  if (path !== "/api/chat" && path !== "/api/generate") return undefined
  const request = read(Ollama, body)
  return { printed: "", speak: (answer) => generate(path, request, answer, pace) }
}

const models = () => Response.json({ object: "list", data: [{ id: OLLAMA_MODEL, object: "model" }] })

const answer = async (request: Request): Promise<Response> => {
  const url = new URL(request.url)
  const body = await request.text()
  const scenario = scenarioOf(url.pathname, body)
  const path = url.pathname.replace(/^\/s\/[a-z0-9]+(?=\/)/, "")
  keep({
    method: request.method,
    path,
    scenario: scenario.name,
    authorization: request.headers.get("authorization") ?? request.headers.get("x-api-key"),
    body
  })
  if (request.method !== "POST")
    return path.endsWith("/models") ? models() : (look(path) ?? new Response(null, { status: 200 }))
  if (path === "/api/show") return show(read(Ollama, body))
  if (path.endsWith("/count_tokens")) return Response.json({ input_tokens: 1000 })
  const speaker = speakerOf(path, body, scenario)
  if (speaker === undefined) return Response.json({ error: { message: `no ${path} here` } }, { status: 404 })
  const given = answerTo(scenario, speaker.printed)
  if (given._tag !== "Nothing") return speaker.speak(given)
  await new Promise((resolve) => request.signal.addEventListener("abort", resolve))
  return new Response(null, { status: 499 })
}

/** `/log`, `/clear`, and `/received/SCENARIO`, which answers once such a request is there; all tell the log. */
const control = async (request: Request): Promise<Response> => {
  const { pathname } = new URL(request.url)
  if (pathname === "/clear") log.length = 0
  const awaited = /^\/received\/([a-z0-9]+)$/.exec(pathname)?.[1]
  if (awaited !== undefined) await received(awaited)
  return Response.json(log)
}

const serve = (socket: string): void => {
  Bun.serve({ unix: socket, fetch: control })
  const { port } = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: answer })
  console.log(port)
  // Whoever started it holds its stdin open; without them it has nobody to answer to.
  process.stdin.on("end", () => process.exit(0)).resume()
}

const socket = process.argv[2]
if (import.meta.main && socket !== undefined) serve(socket)
