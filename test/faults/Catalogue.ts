import type { Fault } from "./Fault.ts"
import { diskFull, fsyncFails, readOnly, writesFail } from "./kinds/Disk.ts"
import {
  budgetKilled,
  dispatcherKilled,
  everythingKilled,
  raceWidened,
  startedTogether
} from "./kinds/Kills.ts"
import { everyPoint, simulated } from "./kinds/Simulated.ts"

/** Every fault that is tried: a row of the table each. */
export const faults: ReadonlyArray<Fault> = [
  everythingKilled,
  dispatcherKilled,
  budgetKilled,
  startedTogether,
  raceWidened,
  fsyncFails,
  writesFail,
  diskFull,
  readOnly,
  simulated,
  everyPoint
]
