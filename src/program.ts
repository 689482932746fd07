import { Effect, Layer, Option } from "effect"
import * as Platform from "../layers/Platform.ts"
import { adapterClear, adapters } from "./cli/Adapters.ts"
import { attemptLog } from "./cli/AttemptLog.ts"
import { seedBacklog } from "./cli/Backlog.ts"
import { backup, backupVerify, restore } from "./cli/Backup.ts"
import { bridgeDiscord, bridgeGithub } from "./cli/Bridges.ts"
import { bundleDiff, bundleShow } from "./cli/Bundles.ts"
import { bind, type Globals } from "./cli/Command.ts"
import { configSchema } from "./cli/ConfigSchema.ts"
import { demo } from "./cli/Demo.ts"
import { dispatch } from "./cli/Dispatch.ts"
import { events } from "./cli/Events.ts"
import { healthcheck } from "./cli/Healthcheck.ts"
import { intake } from "./cli/Intake.ts"
import { main, type Program } from "./cli/Main.ts"
import { pause, resume } from "./cli/Pause.ts"
import { prune } from "./cli/Prune.ts"
import { taskReplay } from "./cli/Replay.ts"
import { runOnce } from "./cli/RunOnce.ts"
import {
  scheduleCreate,
  scheduleDelete,
  scheduleDisable,
  scheduleEnable,
  scheduleList,
  scheduleShow,
  scheduleTick
} from "./cli/Schedules.ts"
import { sensorEvent, sensorList } from "./cli/Sensors.ts"
import { report, snapshot } from "./cli/Snapshots.ts"
import { status } from "./cli/Status.ts"
import { taskCancel, taskList, taskRetry, taskShow } from "./cli/Tasks.ts"
import { Terminal } from "./cli/Terminal.ts"
import {
  workflowComplete,
  workflowCreate,
  workflowList,
  workflowShow,
  workflowTemplates,
  workflowTransition
} from "./cli/Workflows.ts"

// Layers are loaded with the command that needs them: most of a command's start is loading.

const pathOf = async ({ config }: Globals): Promise<string> =>
  (await import("../layers/config/ConfigFile.ts")).pathOf(Option.getOrUndefined(config))

const reading = async (given: Globals) => (await import("../layers/Reading.ts")).reading(await pathOf(given))

const configured = async (given: Globals) =>
  (await import("../layers/Reading.ts")).settings(await pathOf(given))

const scheduling = async (given: Globals) =>
  (await import("../layers/Scheduling.ts")).scheduling(await pathOf(given))

const showing = async (given: Globals) => (await import("../layers/Showing.ts")).showing(await pathOf(given))

const working = async (given: Globals) => (await import("../layers/Live.ts")).working(await pathOf(given))

const looking = async (given: Globals) => (await import("../layers/Live.ts")).looking(await pathOf(given))

const dispatching = async (given: Globals) =>
  (await import("../layers/Live.ts")).dispatching(await pathOf(given))

const resident = async (given: Globals) => (await import("../layers/Live.ts")).resident(await pathOf(given))

const keeping = async (given: Globals) => (await import("../layers/Keeping.ts")).keeping(await pathOf(given))

const restoring = async (given: Globals) =>
  (await import("../layers/Keeping.ts")).restoring(await pathOf(given))

const pruning = async (given: Globals) => (await import("../layers/Keeping.ts")).pruning(await pathOf(given))

const throwAway = async () => {
  const { inThrowAwayFolder } = await import("../layers/DemoFiles.ts")
  return inThrowAwayFolder((await import("../layers/Live.ts")).dispatching)
}

/** The command line: every command with the smallest layers that it runs on. */
export const program = (version: string): Program => ({
  name: "agent-runtime",
  version,
  summary: "the runtime of one agent on one host",
  commands: [
    bind(intake, reading),
    bind(bridgeGithub, reading),
    bind(bridgeDiscord, reading),
    bind(runOnce, dispatching),
    bind(dispatch, resident),
    bind(status, reading),
    bind(healthcheck, looking),
    bind(adapters, working),
    bind(taskList, reading),
    bind(taskShow, showing),
    bind(attemptLog, showing),
    bind(bundleShow, showing),
    bind(bundleDiff, showing),
    bind(events, reading),
    bind(taskCancel, working),
    bind(taskRetry, reading),
    bind(taskReplay, showing),
    bind(pause, reading),
    bind(resume, reading),
    bind(adapterClear, reading),
    bind(scheduleCreate, reading),
    bind(scheduleList, reading),
    bind(scheduleShow, reading),
    bind(scheduleTick, scheduling),
    bind(scheduleEnable, reading),
    bind(scheduleDisable, reading),
    bind(scheduleDelete, reading),
    bind(sensorEvent, reading),
    bind(sensorList, reading),
    bind(seedBacklog, reading),
    bind(snapshot, showing),
    bind(report, showing),
    bind(workflowCreate, reading),
    bind(workflowList, reading),
    bind(workflowShow, reading),
    bind(workflowTransition, reading),
    bind(workflowComplete, reading),
    bind(workflowTemplates, configured),
    bind(backup, keeping),
    bind(backupVerify, async () => (await import("../layers/Keeping.ts")).backupFiles),
    bind(restore, restoring),
    bind(prune, pruning),
    bind(configSchema, () => Layer.empty),
    bind(demo, throwAway)
  ]
})

/** Runs the command line of this process and ends the process with its exit code. */
export const start = (version: string): void =>
  Platform.launch(main(program(version)).pipe(Effect.provideService(Terminal, Platform.terminal())))
