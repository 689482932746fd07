import { problem } from "./Api.ts"
import { type Ask, failed, type Means, type Notice } from "./Means.ts"
import type { Status, Task } from "./Wire.ts"
import { counted, plural, quoted, statusWords, title } from "./Words.ts"

type Named = Pick<Task, "task_id" | "subject" | "kind" | "status">

const RETRIED: ReadonlyArray<Status> = ["blocked", "permanent_failure", "operator_canceled", "completed"]
const CANCELED: ReadonlyArray<Status> = ["pending", "retryable_failure", "blocked"]

/** Whether a retry is a legal move of a task. */
export const canRetry = ({ status }: Pick<Task, "status">): boolean => RETRIED.includes(status)

/** Whether a task can be canceled without force. */
export const canCancel = ({ status }: Pick<Task, "status">): boolean => CANCELED.includes(status)

const at = (id: string, move: string): string => `/api/tasks/${encodeURIComponent(id)}/${move}`

const named = (task: Named): string => quoted(title(task))

/** Says that nothing can be changed to whoever may only read; keys come by here, which no button keeps back. */
const isRefused = (world: Means): boolean => {
  if (world.role.get() !== "read") return false
  world.notice.set({ tone: "failed", text: "You may only read. Changing anything needs the role operate." })
  return true
}

const asked = (world: Means, ask: Ask): void => {
  if (!isRefused(world)) world.ask.set(ask)
}

/** The task that an answer tells of, where it made one. */
const newTaskIn = (answer: unknown): string | undefined =>
  typeof answer === "object" && answer !== null && "task_id" in answer && typeof answer.task_id === "string"
    ? answer.task_id
    : undefined

const attempted = async (
  world: Means,
  done: string,
  taskId: string | undefined,
  run: () => Promise<unknown>
) => {
  if (isRefused(world)) return
  try {
    const made = await run()
    world.notice.set({ tone: "done", text: done, taskId: taskId ?? newTaskIn(made) })
  } catch (error) {
    failed(world, problem(error))
  }
}

/** Begins a fresh round of a task; it does not ask. */
export const retry = (world: Means, task: Named, note?: string): Promise<void> =>
  attempted(world, `Retried ${named(task)}.`, undefined, () =>
    world.api.post(at(task.task_id, "retry"), note === undefined || note === "" ? {} : { note })
  )

/** A move that a task did not take because it had moved already, in words of the page; anything else is thrown on. */
const movedOn = async (world: Means, task: Named, error: unknown): Promise<void> => {
  const refused = problem(error)
  if (refused.status !== 409) throw error
  const { task: now } = await world.api.get<{ readonly task: Task }>(
    `/api/tasks/${encodeURIComponent(task.task_id)}`
  )
  if (now.status === task.status) throw error
  world.notice.set({
    tone: "failed",
    text: `${named(task)} is ${statusWords(now.status)[1]} by now: nothing was changed.`,
    taskId: task.task_id
  })
}

/** Asks, then cancels a task that is not running. */
export const cancel = (world: Means, task: Named): void =>
  asked(world, {
    verb: "Cancel",
    heading: `Cancel 1 task?`,
    body: [`${named(task)} will not run. Its history stays, and Retry brings it back.`],
    danger: true,
    reason: "Reason (optional)",
    run: async (reason) => {
      try {
        await world.api.post(at(task.task_id, "cancel"), reason === "" ? {} : { reason })
        world.notice.set({ tone: "done", text: `Canceled ${named(task)}.` })
      } catch (error) {
        await movedOn(world, task, error)
      }
    }
  })

/** Asks, then stops a running task with its whole process tree. */
export const forceCancel = (world: Means, task: Named): void =>
  asked(world, {
    verb: "Force cancel",
    heading: "Stop 1 running task?",
    body: [
      `${named(task)} is running. Its adapter and every process that it started are stopped.`,
      "What it has written so far stays. Retry runs it again from the start."
    ],
    danger: true,
    reason: "Reason (optional)",
    run: async (reason) => {
      try {
        await world.api.post(at(task.task_id, "cancel"), {
          force: true,
          ...(reason === "" ? {} : { reason })
        })
        world.notice.set({ tone: "done", text: `Asked to stop ${named(task)}.` })
      } catch (error) {
        await movedOn(world, task, error)
      }
    }
  })

/** Cancels by whichever move is legal; one that has ended is left as it is. */
export const cancelAny = (world: Means, task: Named): void => {
  if (task.status === "running") forceCancel(world, task)
  else if (canCancel(task)) cancel(world, task)
  else world.notice.set({ tone: "failed", text: `${named(task)} has ended: there is nothing to cancel.` })
}

/** Runs a recorded attempt again, byte for byte, as a new task. */
export const replay = (world: Means, task: Named, attemptId: string): Promise<void> =>
  attempted(world, `Queued a replay of ${named(task)}.`, undefined, () =>
    world.api.post(at(task.task_id, "replay"), { attempt_id: attemptId })
  )

/** Asks for a reason, then pauses dispatch. */
export const pause = (world: Means): void =>
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
export const resume = (world: Means): Promise<void> =>
  attempted(world, "Resumed.", undefined, () => world.api.post("/api/pause", { paused: false }))

interface Bulk {
  readonly matched: number
  readonly moved: number
  readonly refused: number
}

/** What can be moved together. */
export type Filter = { readonly [name: string]: string | ReadonlyArray<string> }

/** What a filter chooses, in words. */
export const filterWords = (filter: Filter): string =>
  Object.entries(filter)
    .map(([name, value]) =>
      name === "status"
        ? `Status ${[value]
            .flat()
            .map((one) => statusWords(one)[1])
            .join(" or ")}`
        : `${name} ${quoted([value].flat().join(", "))}`
    )
    .join(", ")
    .replace(/^./, (first) => first.toUpperCase())

const movedWords = (move: "retry" | "cancel", { moved, refused }: Bulk): string =>
  `${move === "retry" ? "Retried" : "Canceled"} ${plural(moved, "task")}${refused === 0 ? "." : `; ${counted(refused)} refused.`}`

const nothingTo = (move: "retry" | "cancel", matched: number): Notice => ({
  tone: "failed",
  text: `Nothing to ${move} among ${plural(matched, "matching task")}.`
})

const BULK = {
  retry: {
    verb: "Retry",
    danger: false,
    follows: (count: number) =>
      count === 1 ? "A fresh round of it begins." : `A fresh round of each of the ${counted(count)} begins.`
  },
  cancel: {
    verb: "Cancel",
    danger: true,
    follows: (count: number) =>
      `${count === 1 ? "It" : `None of the ${counted(count)}`} will ${count === 1 ? "not " : ""}run. Their history stays, and Retry brings them back.`
  }
} as const

/**
 * Counts what a filter matches, asks with the count in the words of the button that opened it, and moves it all. The
 * retry of a single one does not ask, as it does not on its own page.
 */
const moveAll = async (
  world: Means,
  move: "retry" | "cancel",
  filter: Filter,
  opener: string,
  /** How many there were when somebody was asked before. */
  shown?: number
): Promise<void> => {
  const path = `/api/tasks/${move}`
  const { danger, follows, verb } = BULK[move]
  const act = async () => {
    const done = await world.api.post<Bulk>(path, { filter, dry_run: false })
    world.notice.set(
      done.moved === 0
        ? nothingTo(move, done.matched)
        : { tone: done.refused === 0 ? "done" : "failed", text: movedWords(move, done) }
    )
  }
  if (isRefused(world)) return
  try {
    const fitting = await world.api.post<Bulk>(path, { filter, dry_run: true })
    // Of those that fit some may be in no state to be moved: they are not what is asked about.
    const count = fitting.matched - fitting.refused
    if (count === 0) {
      world.notice.set(nothingTo(move, fitting.matched))
      return
    }
    if (count === 1 && move === "retry") return await act()
    world.ask.set({
      verb: opener,
      heading: `${verb} ${plural(count, "task")}?`,
      body: [
        ...(shown === undefined
          ? []
          : [`It was ${counted(shown)} when you were asked; meanwhile it is ${counted(count)}.`]),
        `${filterWords(filter)}.`,
        follows(count)
      ],
      danger,
      run: async () => {
        // What was asked about is what is done: where more fit by now, it is asked again.
        const now = await world.api.post<Bulk>(path, { filter, dry_run: true })
        if (now.matched - now.refused > count) await moveAll(world, move, filter, opener, count)
        else await act()
      }
    })
  } catch (error) {
    failed(world, problem(error))
  }
}

/** Begins a fresh round of all that a filter matches; of more than one it asks first, with the count. */
export const retryAll = (world: Means, filter: Filter, opener: string): Promise<void> =>
  moveAll(world, "retry", filter, opener)

/** Cancels all that a filter matches; it asks first, with the count. */
export const cancelAll = (world: Means, filter: Filter, opener: string): Promise<void> =>
  moveAll(world, "cancel", filter, opener)

/** Ends the cool-down of an adapter. */
export const clearCooldown = (world: Means, id: string): Promise<void> =>
  attempted(world, `Adapter ${id} may be used again.`, undefined, () =>
    world.api.post(`/api/adapters/${encodeURIComponent(id)}/clear`, {})
  )
