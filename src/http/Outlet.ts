import { Effect } from "effect"

/** How a response ends: it has been told to its end, or must not look as if it had. */
export type End = "whole" | "cut"

/**
 * The body of a response that is fed by pushing. It is no Stream: of those that stay open for hours there are
 * hundreds, each told ten times a second, and what a fiber keeps and leaves behind for each of them was most of the
 * server's memory.
 */
export interface Outlet {
  readonly body: ReadableStream<Uint8Array>
  /** Whether somebody is there to be told. */
  readonly isOpen: () => boolean
  /** Bytes that the client has not been able to take yet. */
  readonly waiting: () => number
  /** Hands bytes on after those that wait; they are not copied, all outlets may share them. Nothing once it has ended. */
  readonly push: (bytes: Uint8Array) => void
  /** Done when nothing waits and the client takes more. */
  readonly isDry: Effect.Effect<void>
  /** Ends the response, whether its client reads or not; cut, what waits is not told any more. Nothing the second time. */
  readonly end: (how: End) => void
}

/** See Outlet; `ended` is called once, when it is ended or its client has gone. */
export const makeOutlet = (ended: () => void): Outlet => {
  const pieces: Array<Uint8Array> = []
  const dry = Effect.unsafeMakeLatch(false)
  let size = 0
  let isWanted = false
  let open: ReadableStreamDefaultController<Uint8Array> | undefined
  const close = () => {
    const controller = open
    open = undefined
    pieces.length = 0
    size = 0
    if (controller !== undefined) ended()
    return controller
  }
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      open = controller
    },
    pull: (controller) => {
      const next = pieces.shift()
      isWanted = next === undefined
      if (next === undefined) return void dry.unsafeOpen()
      size -= next.length
      controller.enqueue(next)
    },
    cancel: () => void close()
  })
  return {
    body,
    isOpen: () => open !== undefined,
    waiting: () => size,
    push: (bytes) => {
      if (open === undefined) return
      dry.unsafeClose()
      if (isWanted) {
        isWanted = false
        open.enqueue(bytes)
      } else {
        pieces.push(bytes)
        size += bytes.length
      }
    },
    isDry: dry.await,
    end: (how) => {
      const left = how === "whole" ? [...pieces] : []
      const controller = close()
      for (const piece of left) controller?.enqueue(piece)
      if (how === "whole") controller?.close()
      else controller?.error(new Error("the stream was cut off"))
    }
  }
}
