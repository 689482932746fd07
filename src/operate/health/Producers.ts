import { DateTime, Option } from "effect"
import type { RecurringSchedule } from "../../domain/RecurringSchedule.ts"
import type { Task } from "../../domain/Task.ts"

/** A schedule with the newest tasks of the kind that it queues, newest first. */
export interface Produced {
  readonly schedule: RecurringSchedule
  readonly kind: string
  readonly tasks: ReadonlyArray<Pick<Task, "source" | "createdAt">>
}

/** Who queued a task: its source, without the due time that a schedule writes behind its own. */
export const producerOf = (source: string): string =>
  source.replace(/:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, "")

const LOOKS_BACK_DAYS = 1

/**
 * Warnings of schedules whose kind somebody else queues as well, within one interval of theirs: one of the two was
 * meant to be gone. Tasks of more than a day ago are past. A cron schedule has no interval to judge by.
 */
export const doubled = (all: ReadonlyArray<Produced>, at: DateTime.Utc): ReadonlyArray<string> => {
  const since = DateTime.toEpochMillis(at) - LOOKS_BACK_DAYS * 86_400_000
  const pairs = new Map<string, string>()
  for (const { kind, schedule, tasks } of all) {
    const seconds = Option.getOrNull(schedule.intervalSeconds)
    if (seconds === null) continue
    const mine = producerOfSchedule(schedule)
    const recent = tasks
      .map(({ createdAt, source }) => ({ at: DateTime.toEpochMillis(createdAt), by: producerOf(source) }))
      .filter((one) => one.at >= since)
    const other = recent.find(
      (one) =>
        one.by !== mine && recent.some((own) => own.by === mine && Math.abs(own.at - one.at) < seconds * 1000)
    )?.by
    if (other === undefined) continue
    const twin = all.find((one) => producerOfSchedule(one.schedule) === other)
    const key = JSON.stringify([kind, [mine, other].sort()])
    if (!pairs.has(key))
      pairs.set(
        key,
        `schedule ${schedule.name} and ${twin === undefined ? other : `schedule ${twin.schedule.name}`} both queue ${kind} tasks within one interval of ${seconds} s; keep one of them: agent-runtime schedule-disable ${schedule.name}`
      )
  }
  return [...pairs.values()]
}

const producerOfSchedule = ({ task }: RecurringSchedule): string => producerOf(String(task.source))
