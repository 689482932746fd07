import { Schema } from "effect"
import { TaskId } from "../../domain/Ids.ts"
import { RecurringSchedule, ScheduleFate } from "../../domain/RecurringSchedule.ts"
import { wireStruct } from "../../domain/Wire.ts"

export const SavedSchedule = wireStruct({
  upserted: Schema.Literal(true),
  schedule: RecurringSchedule
}).annotations({ identifier: "SavedSchedule" })

export const ScheduleList = wireStruct({ schedules: Schema.Array(RecurringSchedule) }).annotations({
  identifier: "ScheduleList"
})

/** A schedule with what became of its due times, newest first. */
export const ScheduleStory = wireStruct({
  schedule: RecurringSchedule,
  fates: Schema.Array(ScheduleFate)
}).annotations({ identifier: "ScheduleStory" })

/** What an evaluation came to. */
export const Ticked = wireStruct({
  schedulesEvaluated: Schema.Int,
  tasksCreated: Schema.Int,
  taskIds: Schema.Array(TaskId)
}).annotations({ identifier: "Ticked" })

/** A schedule that was turned on or off. */
export const TurnedSchedule = wireStruct({
  ok: Schema.Literal(true),
  schedule: RecurringSchedule
}).annotations({ identifier: "TurnedSchedule" })

export const RemovedSchedule = wireStruct({ ok: Schema.Literal(true), name: Schema.String }).annotations({
  identifier: "RemovedSchedule"
})
