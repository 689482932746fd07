import type { Fault } from "./Fault.ts"
import { clockJumps } from "./kinds/Clocks.ts"
import { diskFull, fsyncFails, readOnly, writesFail } from "./kinds/Disk.ts"
import { damagedFiles, longReader, oddLocks, openedAtOnce } from "./kinds/Files.ts"
import {
  budgetKilled,
  dispatcherKilled,
  everythingKilled,
  raceWidened,
  startedTogether
} from "./kinds/Kills.ts"
import { badChildren, fewDescriptors, holderStopped, littleMemory } from "./kinds/Processes.ts"
import { everyPoint, simulated } from "./kinds/Simulated.ts"
import { suites } from "./kinds/Suites.ts"
import { killedAtWrite } from "./kinds/Writers.ts"

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
  killedAtWrite,
  holderStopped,
  badChildren,
  clockJumps,
  damagedFiles,
  oddLocks,
  openedAtOnce,
  longReader,
  fewDescriptors,
  littleMemory,
  simulated,
  everyPoint,
  ...suites
]
