import { useEffect, useRef, useState } from "preact/hooks"
import { type Api, problem } from "./Api.ts"
import { grown, MOST_CHARACTERS, MOST_READ_BACK, NONE, type Output } from "./OutputText.ts"
import { plainOutput } from "./Words.ts"
import { useWorld } from "./World.ts"

/** Where a long log is begun: so much before its end. */
const TAIL_BYTES = 256 * 1_024
/**
 * How often a log that grows is looked at. It is asked for again and again instead of held open: a browser keeps
 * six connections to a server for all of its tabs, and the output of six attempts would use them up.
 */
const PAUSE_MS = 500

/** A log that is read on from where it was left. */
const makeLog = (api: Api, path: string, tailBytes: number, signal: AbortSignal) => {
  const decoder = new TextDecoder()
  let offset = -1
  return {
    /** What is new since the last time; `skipped` where it is not read from the beginning. */
    more: async (): Promise<{ readonly text: string; readonly skipped: boolean }> => {
      const { headers } = await api.open(path, { method: "HEAD", signal }).catch(async (error: unknown) => {
        // An answer to HEAD has no body: the words are in the one to GET.
        if (problem(error).status === 404) await api.open(path, { headers: { range: "bytes=0-0" }, signal })
        throw error
      })
      const size = Number(headers.get("content-length") ?? 0)
      const isFirst = offset < 0
      if (isFirst) offset = Math.max(0, size - tailBytes)
      const skipped = isFirst && offset > 0
      if (size <= offset) return { text: "", skipped }
      const response = await api.open(path, { headers: { range: `bytes=${offset}-${size - 1}` }, signal })
      const bytes = new Uint8Array(await response.arrayBuffer())
      offset += bytes.length
      const text = decoder.decode(bytes, { stream: true })
      // The first line is half a line.
      return { text: skipped ? text.slice(text.indexOf("\n") + 1) : text, skipped }
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer)
        done()
      },
      { once: true }
    )
  })

/** Nobody looks at a hidden tab. */
const seen = (signal: AbortSignal): Promise<void> =>
  document.hidden
    ? new Promise((done) => {
        document.addEventListener("visibilitychange", () => done(), { once: true, signal })
        signal.addEventListener("abort", () => done(), { once: true })
      })
    : Promise.resolve()

const keepReading = async (
  log: ReturnType<typeof makeLog>,
  isRunning: boolean,
  show: (change: (output: Output) => Output) => void,
  most: () => number,
  signal: AbortSignal
): Promise<void> => {
  let failed = 0
  while (!signal.aborted) {
    await seen(signal)
    try {
      const { skipped, text } = await log.more()
      failed = 0
      show((held) => {
        const next = text === "" ? held : grown(held, text, most())
        const cut = next.cut || skipped
        return cut === held.cut && next === held && held.known && held.error === undefined && isRunning
          ? held
          : { ...next, cut, error: undefined, known: true, ended: !isRunning }
      })
      if (!isRunning) return
    } catch (error) {
      if (signal.aborted) return
      const { code, message, status } = problem(error)
      show((held) => ({
        ...held,
        error: code === "log_not_found" ? undefined : message,
        gone: code === "log_not_found" ? message : undefined
      }))
      if (status !== 0) return
      failed++
    }
    await pause(Math.min(8_000, PAUSE_MS * 2 ** failed), signal)
  }
}

/** An attempt's output as plain text, its end at most, read on while the attempt runs. */
export const useOutput = (
  attemptId: string,
  name: "stdout" | "stderr",
  isRunning: boolean,
  tailBytes = TAIL_BYTES,
  /** Whether somebody reads back: then the beginning stays, as far as there is room. */
  isReadBack = false
): Output => {
  const { api } = useWorld()
  const [output, setOutput] = useState(NONE)
  const most = useRef(MOST_CHARACTERS)
  most.current = isReadBack ? MOST_READ_BACK : MOST_CHARACTERS
  useEffect(() => {
    const ending = new AbortController()
    const path = `/api/attempts/${encodeURIComponent(attemptId)}/${name}`
    let held = NONE
    const show = (change: (output: Output) => Output) => {
      if (ending.signal.aborted) return
      const next = change(held)
      if (next === held) return
      held = next
      setOutput({ ...next, text: plainOutput(next.text) })
    }
    void keepReading(
      makeLog(api, path, tailBytes, ending.signal),
      isRunning,
      show,
      () => most.current,
      ending.signal
    )
    return () => ending.abort()
  }, [api, attemptId, name, isRunning, tailBytes])
  return output
}
