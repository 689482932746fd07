import type { Fault } from "./Fault.ts"
import { bulkKilled } from "./kinds/Bulk.ts"
import { clockJumps } from "./kinds/Clocks.ts"
import {
  diskFailsForAWhile,
  diskFull,
  fsyncFails,
  readOnly,
  readOnlyForAWhile,
  writesFail
} from "./kinds/Disk.ts"
import { damagedFiles, longReader, oddLocks, openedAtOnce } from "./kinds/Files.ts"
import {
  budgetKilled,
  dispatcherKilled,
  everythingKilled,
  raceWidened,
  startedTogether
} from "./kinds/Kills.ts"
import { answeredTwice } from "./kinds/Operators.ts"
import { badChildren, fewDescriptors, holderStopped, littleMemory } from "./kinds/Processes.ts"
import { producerKilled } from "./kinds/Producers.ts"
import { servedKilled } from "./kinds/Served.ts"
import { everyPoint, simulated } from "./kinds/Simulated.ts"
import { suites } from "./kinds/Suites.ts"
import { workspacesKilled } from "./kinds/Workspaces.ts"
import { killedAtWrite } from "./kinds/Writers.ts"

/** Every fault that is tried: a row of the table each. What takes longest in one round comes first. */
export const faults: ReadonlyArray<Fault> = [
  ...suites,
  longReader,
  everythingKilled,
  dispatcherKilled,
  producerKilled,
  servedKilled,
  workspacesKilled,
  bulkKilled,
  budgetKilled,
  answeredTwice,
  startedTogether,
  raceWidened,
  fsyncFails,
  writesFail,
  diskFull,
  readOnly,
  readOnlyForAWhile,
  diskFailsForAWhile,
  killedAtWrite,
  holderStopped,
  badChildren,
  clockJumps,
  damagedFiles,
  oddLocks,
  openedAtOnce,
  fewDescriptors,
  littleMemory,
  simulated,
  everyPoint
]
