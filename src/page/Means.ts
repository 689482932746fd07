import type { Api, Problem } from "./Api.ts"
import type { Cell } from "./Cell.ts"

/** A question to the operator before something is done that cannot be taken back, or that needs a reason. */
export interface Ask {
  /** The words of the button that opened it, and of the one that confirms. */
  readonly verb: string
  readonly heading: string
  readonly body: ReadonlyArray<string>
  readonly danger: boolean
  /** The label of a text that goes with it, where one is wanted. */
  readonly reason?: string | undefined
  readonly run: (reason: string) => Promise<void>
}

/** What was done or went wrong, said once. */
export interface Notice {
  readonly tone: "done" | "failed"
  readonly text: string
  readonly hint?: string | undefined
  /** A task that it is about. */
  readonly taskId?: string | undefined
}

/** What a move needs of the world: to ask the server, to ask the operator, and to say what came of it. */
export interface Means {
  readonly api: Pick<Api, "get" | "post">
  /** What whoever looks at the page may do; not known before the stream has told it. */
  readonly role: Cell<"read" | "operate" | undefined>
  readonly ask: Cell<Ask | undefined>
  readonly notice: Cell<Notice | undefined>
  /** Asks for everything anew: what is shown may be gone. */
  readonly refresh: () => void
}

/** Says what went wrong; a thing that is gone is gone from what is shown as well. */
export const failed = (means: Pick<Means, "notice" | "refresh">, error: Problem): void => {
  means.notice.set({ tone: "failed", text: error.message, hint: error.hint })
  if (error.status === 404) means.refresh()
}
