import { Layer } from "effect"
import { reading } from "./Reading.ts"
import * as RecurringSchedules from "./schedule/RecurringSchedules.ts"

/** What evaluates schedules as well. */
export const scheduling = (configPath: string) =>
  RecurringSchedules.layer.pipe(Layer.provideMerge(reading(configPath)))
