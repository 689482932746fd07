import { problem } from "./Api.ts"
import type { Status, Task } from "./Wire.ts"
import { counted, plural, title } from "./Words.ts"
import { type Ask, failed, type World } from "./World.ts"

type Named = Pick<Task, "task_id" | "subject" | "kind" | "status">

const RETRIED: ReadonlyArray<Status> = ["blocked", "permanent_failure", "operator_canceled", "completed"]
const CANCELED: ReadonlyArray<Status> = ["pending", "retryable_failure", "blocked"]

/** Whether a retry is a legal move of a task. */
export const canRetry = ({ status }: Pick<Task, "status">): boolean => RETRIED.includes(status)

/** Whether a task can be canceled without force. */
export const canCancel = ({ status }: Pick<Task, "status">): boolean => CANCELED.includes(status)

const at = (id: string, move: string): string => `/api/tasks/${encodeURIComponent(id)}/${move}`

const quoted = (task: Named): string => `“${title(task)}”`

/** Says that nothing can be changed to whoever may only read; keys come by here, which no button keeps back. */
const isRefused = (world: World): boolean => {
  if (world.role.get() !== "read") return false
  world.notice.set({ tone: "failed", text: "You may only read. Changing anything needs the role operate." })
  return true
}

const asked = (world: World, ask: Ask): void => {
  if (!isRefused(world)) world.ask.set(ask)
}

const attempted = async (
  world: World,
  done: string,
  taskId: string | undefined,
  run: () => Promise<unknown>
) => {
  if (isRefused(world)) return
  try {
    await run()
    world.notice.set({ tone: "done", text: done, taskId })
  } catch (error) {
    failed(world, problem(error))
  }
}

/** Begins a fresh round of a task; it does not ask. */
export const retry = (world: World, task: Named, note?: string): Promise<void> =>
  attempted(world, `Retried ${quoted(task)}.`, undefined, () =>
    world.api.post(at(task.task_id, "retry"), note === undefined || note === "" ? {} : { note })
  )

/** Asks, then cancels a task that is not running. */
export const cancel = (world: World, task: Named): void =>
  asked(world, {
    verb: "Cancel",
    heading: `Cancel 1 task?`,
    body: [`${quoted(task)} will not run. Its history stays, and Retry brings it back.`],
    danger: true,
    reason: "Reason (optional)",
    run: async (reason) => {
      await world.api.post(at(task.task_id, "cancel"), reason === "" ? {} : { reason })
      world.notice.set({ tone: "done", text: `Canceled ${quoted(task)}.` })
    }
  })

/** Asks, then stops a running task with its whole process tree. */
export const forceCancel = (world: World, task: Named): void =>
  asked(world, {
    verb: "Force cancel",
    heading: "Stop 1 running task?",
    body: [
      `${quoted(task)} is running. Its adapter and every process that it started are stopped.`,
      "What it has written so far stays. Retry runs it again from the start."
    ],
    danger: true,
    reason: "Reason (optional)",
    run: async (reason) => {
      await world.api.post(at(task.task_id, "cancel"), {
        force: true,
        ...(reason === "" ? {} : { reason })
      })
      world.notice.set({ tone: "done", text: `Stopping ${quoted(task)}.` })
    }
  })

/** Cancels by whichever move is legal; one that has ended is left as it is. */
export const cancelAny = (world: World, task: Named): void => {
  if (task.status === "running") forceCancel(world, task)
  else if (canCancel(task)) cancel(world, task)
  else world.notice.set({ tone: "failed", text: `${quoted(task)} has ended: there is nothing to cancel.` })
}

/** Runs a recorded attempt again, byte for byte, as a new task. */
export const replay = (world: World, task: Named, attemptId: string): Promise<void> =>
  attempted(world, `Queued a replay of ${quoted(task)}.`, undefined, () =>
    world.api.post(at(task.task_id, "replay"), { attempt_id: attemptId })
  )

/** Asks for a reason, then pauses dispatch. */
export const pause = (world: World): void =>
  asked(world, {
    verb: "Pause",
    heading: "Pause dispatch?",
    body: ["Nothing new is started until you resume. What runs now is finished."],
    danger: false,
    reason: "Reason",
    run: async (reason) => {
      await world.api.post("/api/pause", { paused: true, ...(reason === "" ? {} : { reason }) })
      world.notice.set({ tone: "done", text: "Paused. Resume lets work go on." })
    }
  })

/** Lets dispatch go on; it does not ask. */
export const resume = (world: World): Promise<void> =>
  attempted(world, "Resumed.", undefined, () => world.api.post("/api/pause", { paused: false }))

interface Bulk {
  readonly matched: number
  readonly moved: number
  readonly refused: number
}

/** What can be moved together. */
export type Filter = { readonly [name: string]: string | ReadonlyArray<string> }

/** Counts what a filter matches, asks with the count in the words of the button that opened it, and moves it all. */
export const bulk = async (
  world: World,
  move: "retry" | "cancel",
  filter: Filter,
  opener: string
): Promise<void> => {
  const path = `/api/tasks/${move}`
  const verb = move === "retry" ? "Retry" : "Cancel"
  try {
    const fitting = await world.api.post<Bulk>(path, { filter, dry_run: true })
    // Of those that fit some may be in no state to be moved: they are not what is asked about.
    const count = fitting.matched - fitting.refused
    if (count === 0) {
      world.notice.set({
        tone: "failed",
        text: `Nothing to ${move} among ${plural(fitting.matched, "matching task")}.`
      })
      return
    }
    world.ask.set({
      verb: opener,
      heading: `${verb} ${plural(count, "task")}?`,
      body: [
        move === "retry"
          ? `A fresh round begins for ${count === 1 ? "it" : `all ${counted(count)}`}.`
          : `${count === 1 ? "It" : `None of the ${counted(count)}`} will ${count === 1 ? "not " : ""}run. Their history stays, and Retry brings them back.`
      ],
      danger: move === "cancel",
      run: async () => {
        const done = await world.api.post<Bulk>(path, { filter, dry_run: false })
        const left = done.refused
        world.notice.set({
          tone: left === 0 ? "done" : "failed",
          text: `${verb === "Retry" ? "Retried" : "Canceled"} ${plural(done.moved, "task")}${left === 0 ? "." : `; ${counted(left)} refused.`}`
        })
      }
    })
  } catch (error) {
    failed(world, problem(error))
  }
}

/** Ends the cool-down of an adapter. */
export const clearCooldown = (world: World, id: string): Promise<void> =>
  attempted(world, `Adapter ${id} may be used again.`, undefined, () =>
    world.api.post(`/api/adapters/${encodeURIComponent(id)}/clear`, {})
  )
