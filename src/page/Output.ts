import { useEffect, useState } from "preact/hooks"
import { type Api, problem } from "./Api.ts"
import { plainOutput } from "./Words.ts"
import { useWorld } from "./World.ts"

/** The most of an output that is held: its end. */
const MOST_CHARACTERS = 512 * 1_024
/** Where a long log is begun: so much before its end. */
const TAIL_BYTES = 256 * 1_024

export interface Output {
  readonly text: string
  /** Something before what is held was left out. */
  readonly cut: boolean
  /** Whether its end is known: the attempt is over and all of it came. */
  readonly ended: boolean
  readonly error: string | undefined
}

const NONE: Output = { text: "", cut: false, ended: false, error: undefined }

/** Adds a piece; of more than is held the beginning goes, a whole line at a time. */
export const grown = (output: Output, piece: string): Output => {
  const text = output.text + piece
  if (text.length <= MOST_CHARACTERS) return { ...output, text }
  const from = text.indexOf("\n", text.length - MOST_CHARACTERS)
  return { ...output, text: text.slice(from < 0 ? text.length - MOST_CHARACTERS : from + 1), cut: true }
}

const read = async (
  api: Api,
  path: string,
  follow: boolean,
  signal: AbortSignal,
  add: (piece: string) => void,
  cut: () => void
): Promise<void> => {
  const size = await api
    .open(path, { headers: { range: "bytes=0-0" }, signal })
    .then(async (response) => {
      await response.body?.cancel()
      return Number(/\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1] ?? 0)
    })
    .catch((error: unknown) => {
      // An empty log has no first byte.
      if (problem(error).status === 416) return 0
      throw error
    })
  const from = Math.max(0, size - TAIL_BYTES)
  if (from > 0) cut()
  const response = await api.open(`${path}${follow ? "?follow=1" : ""}`, {
    signal,
    ...(from > 0 ? { headers: { range: `bytes=${from}-` } } : {})
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const piece = await reader?.read()
    if (piece === undefined || piece.done) return
    add(piece.value)
  }
}

/** An attempt's output as plain text, followed while it grows. */
export const useOutput = (
  attemptId: string | undefined,
  name: "stdout" | "stderr",
  follow: boolean
): Output => {
  const { api } = useWorld()
  const [output, setOutput] = useState(NONE)
  useEffect(() => {
    setOutput(NONE)
    if (attemptId === undefined) return
    const ending = new AbortController()
    let held = NONE
    let due = false
    // What comes between two frames is drawn at once.
    const later = () => {
      if (due) return
      due = true
      setTimeout(() => {
        due = false
        if (!ending.signal.aborted) setOutput({ ...held, text: plainOutput(held.text) })
      }, 60)
    }
    const keep = async () => {
      for (let failed = 0; !ending.signal.aborted; failed++) {
        try {
          held = { ...NONE, cut: false }
          await read(
            api,
            `/api/attempts/${encodeURIComponent(attemptId)}/${name}`,
            follow,
            ending.signal,
            (piece) => {
              held = grown(held, piece)
              later()
            },
            () => {
              held = { ...held, cut: true }
            }
          )
          held = { ...held, ended: true }
          later()
          return
        } catch (error) {
          if (ending.signal.aborted) return
          const { message, status } = problem(error)
          held = { ...held, error: message }
          later()
          if (status !== 0) return
          await new Promise((done) => setTimeout(done, Math.min(8_000, 500 * 2 ** failed)))
        }
      }
    }
    void keep()
    return () => ending.abort()
  }, [api, attemptId, name, follow])
  return output
}
