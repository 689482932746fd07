import { useEffect } from "preact/hooks"
import { useRecord } from "./UseRecord.ts"
import type { Attempt, Step } from "./Wire.ts"
import { useWorld } from "./World.ts"

/** No event tells of a step: while the attempt runs they are asked for. */
const BETWEEN_MS = 2_000

const NONE: ReadonlyArray<Step> = []

/** What the agent of an attempt did so far; nothing where its adapter tells no steps. */
export const useSteps = (attempt: Attempt): ReadonlyArray<Step> => {
  const { records } = useWorld()
  const path = `/api/attempts/${encodeURIComponent(attempt.attempt_id)}/steps`
  const isAgent = attempt.adapter_mode === "agent-cli"
  const isRunning = attempt.status === "running"
  const found = useRecord<{ readonly steps: ReadonlyArray<Step> }>(
    isAgent ? path : undefined,
    ({ attempt_id }) => attempt_id === attempt.attempt_id
  )
  useEffect(() => {
    if (!isAgent || !isRunning) return
    const timer = setInterval(() => {
      if (!document.hidden) records.again(path)
    }, BETWEEN_MS)
    return () => clearInterval(timer)
  }, [records, path, isAgent, isRunning])
  return found.data?.steps ?? NONE
}
