import { forceCancel } from "../Moves.ts"
import { useOutput } from "../Output.ts"
import { useRecord } from "../UseRecord.ts"
import { useSteps } from "../UseSteps.ts"
import type { Attempt, Story, Task } from "../Wire.ts"
import { duration } from "../Words.ts"
import { useKnownNow, useWorld } from "../World.ts"
import { Act } from "./Act.tsx"
import { Pre } from "./Pre.tsx"
import { TaskRow } from "./TaskList.tsx"

/** How much of its time an attempt has used, of how much where it has a limit; both at once, when both are known. */
const Spent = ({ attempt }: { readonly attempt: Attempt }) => {
  const now = useKnownNow()
  const { isKnown, limitMs } = useLimit(attempt)
  const spent = Math.max(0, now - Date.parse(attempt.started_at))
  // Its room is kept, so that nothing moves when it comes.
  if (!isKnown) return <span class="spent to-come" />
  if (limitMs === undefined) return <span class="num">{duration(spent)}</span>
  const share = Math.min(1, spent / limitMs)
  return (
    <span class="spent">
      <span class="num">
        {duration(spent)} of {duration(limitMs)}
      </span>
      <svg class="thin" viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="2" />
        <rect class={share > 0.9 ? "fill late" : "fill"} width={share * 100} height="2" />
      </svg>
    </span>
  )
}

/** The limit that the attempt's adapter had when its bundle was frozen. */
const useLimit = (attempt: Attempt): { readonly isKnown: boolean; readonly limitMs: number | undefined } => {
  const id = attempt.bundle_id ?? undefined
  const bundle = useRecord<{ readonly adapter?: { readonly timeout_ms?: unknown } }>(
    id === undefined ? undefined : `/api/bundles/${encodeURIComponent(id)}`
  )
  const limit = bundle.data?.adapter?.timeout_ms
  return {
    isKnown: id === undefined || bundle.data !== undefined || bundle.error !== undefined,
    limitMs: typeof limit === "number" ? limit : undefined
  }
}

/** So much of an output's end holds its last lines. */
const TAIL_BYTES = 4 * 1_024

/** The last thing that an agent did: what it prints is for programs. */
const LastStep = ({ attempt }: { readonly attempt: Attempt }) => {
  const last = useSteps(attempt).at(-1)
  return last === undefined ? (
    <p class="tail muted">It has told no step so far.</p>
  ) : (
    <p class="tail one mono">
      <span class="muted">{last.tool}</span> {last.target}
    </p>
  )
}

const Tail = ({ attempt, lines }: { readonly attempt: Attempt; readonly lines: number }) => {
  const output = useOutput(attempt.attempt_id, "stdout", true, TAIL_BYTES)
  const last = output.text.trimEnd().split("\n").slice(-lines).join("\n")
  return last === "" ? (
    <p class="tail muted">{output.known ? "It has printed nothing so far." : "…"}</p>
  ) : lines === 1 ? (
    <p class="tail one mono">{last}</p>
  ) : (
    <Pre label={`Output of attempt ${attempt.number}`} class="tail">
      {last}
    </Pre>
  )
}

/** A running task: who runs it, how far it is in its time, and the end of what it prints, live. */
export const RunningRow = ({ task, lines }: { readonly task: Task; readonly lines: number }) => {
  const world = useWorld()
  const story = useRecord<Story>(
    `/api/tasks/${encodeURIComponent(task.task_id)}`,
    ({ task_id }) => task_id === task.task_id
  )
  const attempt = story.data?.attempts.findLast(({ status }) => status === "running")
  return (
    <TaskRow
      task={task}
      line={
        attempt === undefined
          ? undefined
          : `attempt ${attempt.number} by ${attempt.adapter_id ?? "an adapter not chosen yet"}${attempt.model === null ? "" : `, ${attempt.model}`}`
      }
      figures={attempt === undefined ? undefined : <Spent attempt={attempt} />}
    >
      <Act onClick={() => forceCancel(world, task)}>Force cancel</Act>
      {attempt === undefined ? null : attempt.adapter_mode === "agent-cli" ? (
        <LastStep attempt={attempt} />
      ) : (
        <Tail attempt={attempt} lines={lines} />
      )}
    </TaskRow>
  )
}
