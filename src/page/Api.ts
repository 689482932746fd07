import type { Clock } from "./Clock.ts"

/** Why the server refused or did not answer, in the words that it gave. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | undefined
  ) {
    super(message)
  }
}

/** The server did not answer at all. */
const unreachable = () =>
  new Problem(0, "unreachable", "The server does not answer.", "See whether agent-runtime serve is running.")

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

const problemOf = async (response: Response): Promise<Problem> => {
  const said: unknown = await response.json().catch(() => ({}))
  const body = (typeof said === "object" && said !== null ? said : {}) as Record<string, unknown>
  return new Problem(
    response.status,
    text(body.code) ?? `http_${response.status}`,
    text(body.error) ?? `The server answered ${response.status}.`,
    text(body.hint)
  )
}

export interface Api {
  /** Reads JSON; fails with a Problem, or with the abort of its signal. */
  readonly get: <A>(path: string, signal?: AbortSignal) => Promise<A>
  /** Sends JSON and reads what came of it. */
  readonly post: <A>(path: string, body: unknown) => Promise<A>
  /** Opens a body to be read as it comes. */
  readonly open: (path: string, init?: RequestInit) => Promise<Response>
}

/** The API of the server that the page came from. `onLocked` is told when it asks for a token, `hear` its time. */
export const makeApi = (onLocked: () => void, hear: Clock["hear"]): Api => {
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    const asked = Date.now()
    const response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...init }).catch(
      (error: unknown) => {
        throw init.signal?.aborted === true ? error : unreachable()
      }
    )
    hear({ asked, came: Date.now(), date: Date.parse(response.headers.get("date") ?? "") })
    if (response.ok) return response
    if (response.status === 401) onLocked()
    throw await problemOf(response)
  }
  // The one place where what the server writes is believed; test/page/Wire.test.ts says why it may be.
  const told = async <A>(answer: Promise<Response>): Promise<A> => (await answer).json() as Promise<A>
  return {
    get: (path, signal) => told(ask(path, signal === undefined ? {} : { signal })),
    post: (path, body) =>
      told(
        ask(path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body)
        })
      ),
    open: (path, init = {}) => ask(path, init)
  }
}

/** What went wrong as a Problem, whatever was thrown. */
export const problem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(0, "unexpected", String(error), undefined)
