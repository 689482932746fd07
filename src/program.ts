import { Effect, Layer, Option } from "effect"
import * as Platform from "../layers/Platform.ts"
import { type Bound, bind, either, type Globals } from "./cli/Command.ts"
import { main, type Program } from "./cli/Main.ts"
import { Terminal } from "./cli/Terminal.ts"

// A command is loaded by its name, its layers when it runs: most of a command's start is loading, and what is not
// loaded leaves the heap so small that a short command ends before the collector's first round.

const pathOf = async ({ config }: Globals): Promise<string> =>
  (await import("../layers/config/ConfigFile.ts")).pathOf(Option.getOrUndefined(config))

const reading = async (given: Globals) => (await import("../layers/Reading.ts")).reading(await pathOf(given))

const answering = async (given: Globals) =>
  (await import("../layers/Reading.ts")).answering(await pathOf(given))

const configured = async (given: Globals) =>
  (await import("../layers/Reading.ts")).settings(await pathOf(given))

const scheduling = async (given: Globals) =>
  (await import("../layers/Scheduling.ts")).scheduling(await pathOf(given))

const showing = async (given: Globals) => (await import("../layers/Showing.ts")).showing(await pathOf(given))

const working = async (given: Globals) => (await import("../layers/Live.ts")).working(await pathOf(given))

const looking = async (given: Globals) => (await import("../layers/Live.ts")).looking(await pathOf(given))

const adopting = async (given: Globals) => (await import("../layers/Live.ts")).adopting(await pathOf(given))

const dispatching = async (given: Globals) =>
  (await import("../layers/Live.ts")).dispatching(await pathOf(given))

const resident = async (given: Globals) => (await import("../layers/Live.ts")).resident(await pathOf(given))

const listening = async () => {
  const { Listener } = await import("./http/Listener.ts")
  const { PageBundle } = await import("./http/Page.ts")
  return Layer.merge(
    Layer.succeed(Listener, (await import("../layers/http/BunListener.ts")).listener),
    // The page is loaded, and from source built, when a browser first asks for it.
    Layer.succeed(PageBundle, { load: Effect.promise(() => import("../layers/page/Assets.ts")) })
  )
}

const serving = async (given: Globals) =>
  Layer.merge(await listening(), (await import("../layers/Live.ts")).serving(await pathOf(given)))

const both = async (given: Globals) =>
  Layer.merge(await listening(), (await import("../layers/Live.ts")).both(await pathOf(given)))

const keeping = async (given: Globals) => (await import("../layers/Keeping.ts")).keeping(await pathOf(given))

const restoring = async (given: Globals) =>
  (await import("../layers/Keeping.ts")).restoring(await pathOf(given))

const pruning = async (given: Globals) => (await import("../layers/Keeping.ts")).pruning(await pathOf(given))

const hostFiles = async () => (await import("../layers/deploy/DiskHostFiles.ts")).layer

const throwAway = async () => {
  const { inThrowAwayFolder } = await import("../layers/DemoFiles.ts")
  return inThrowAwayFolder((await import("../layers/Live.ts")).dispatching)
}

const backups = async () => (await import("../layers/Keeping.ts")).backupFiles

const present = async (given: Globals) => (await import("../layers/Reading.ts")).present(await pathOf(given))

const nothing = () => Layer.empty

/** Every command with the smallest layers that it runs on, in the order of the help. */
const commands: Readonly<Record<string, () => Promise<Bound>>> = {
  intake: async () => {
    const { intake, intakeDryRun } = await import("./cli/Intake.ts")
    return either(bind(intake, reading), bind(intakeDryRun, working), ({ dryRun }) => dryRun === true)
  },
  "bridge-github": async () => bind((await import("./cli/Bridges.ts")).bridgeGithub, reading),
  "bridge-discord": async () => bind((await import("./cli/Bridges.ts")).bridgeDiscord, reading),
  "run-once": async () => bind((await import("./cli/RunOnce.ts")).runOnce, dispatching),
  dispatch: async () => bind((await import("./cli/Dispatch.ts")).dispatch, resident),
  serve: async () => bind((await import("./cli/Serve.ts")).serve, serving),
  up: async () => bind((await import("./cli/Serve.ts")).up, both),
  status: async () => bind((await import("./cli/Status.ts")).status, reading),
  healthcheck: async () => bind((await import("./cli/Healthcheck.ts")).healthcheck, looking),
  adapters: async () => bind((await import("./cli/Adapters.ts")).adapters, working),
  "task-list": async () => {
    const { taskList, taskListWaiting } = await import("./cli/Tasks.ts")
    return either(bind(taskList, reading), bind(taskListWaiting, working), ({ waiting }) => waiting === true)
  },
  "task-show": async () => bind((await import("./cli/Tasks.ts")).taskShow, working),
  "attempt-list": async () => bind((await import("./cli/AttemptList.ts")).attemptList, reading),
  "attempt-log": async () => bind((await import("./cli/AttemptLog.ts")).attemptLog, showing),
  "bundle-show": async () => bind((await import("./cli/Bundles.ts")).bundleShow, showing),
  "bundle-diff": async () => bind((await import("./cli/Bundles.ts")).bundleDiff, showing),
  events: async () => bind((await import("./cli/Events.ts")).events, reading),
  "task-cancel": async () => bind((await import("./cli/TaskMoves.ts")).taskCancel, working),
  "task-retry": async () => bind((await import("./cli/TaskMoves.ts")).taskRetry, reading),
  "task-answer": async () => bind((await import("./cli/Questions.ts")).taskAnswer, answering),
  "task-replay": async () => bind((await import("./cli/Replay.ts")).taskReplay, showing),
  pause: async () => bind((await import("./cli/Pause.ts")).pause, reading),
  resume: async () => bind((await import("./cli/Pause.ts")).resume, reading),
  stop: async () => bind((await import("./cli/Stop.ts")).stop, working),
  "adapter-clear": async () => bind((await import("./cli/Adapters.ts")).adapterClear, reading),
  "budget-show": async () => bind((await import("./cli/Budgets.ts")).budgetShow, reading),
  "budget-grant": async () => bind((await import("./cli/Budgets.ts")).budgetGrant, reading),
  usage: async () => bind((await import("./cli/Usage.ts")).usage, reading),
  "schedule-create": async () => bind((await import("./cli/Schedules.ts")).scheduleCreate, reading),
  "schedule-list": async () => bind((await import("./cli/Schedules.ts")).scheduleList, reading),
  "schedule-show": async () => bind((await import("./cli/Schedules.ts")).scheduleShow, reading),
  "schedule-tick": async () => bind((await import("./cli/Schedules.ts")).scheduleTick, scheduling),
  "schedule-enable": async () => bind((await import("./cli/Schedules.ts")).scheduleEnable, reading),
  "schedule-disable": async () => bind((await import("./cli/Schedules.ts")).scheduleDisable, reading),
  "schedule-delete": async () => bind((await import("./cli/Schedules.ts")).scheduleDelete, reading),
  "sensor-event": async () => bind((await import("./cli/Sensors.ts")).sensorEvent, reading),
  "sensor-list": async () => bind((await import("./cli/Sensors.ts")).sensorList, reading),
  "question-list": async () => bind((await import("./cli/Questions.ts")).questionList, reading),
  "outbox-list": async () => bind((await import("./cli/Outbox.ts")).outboxList, reading),
  "outbox-ack": async () => bind((await import("./cli/Outbox.ts")).outboxAck, reading),
  "seed-backlog": async () => bind((await import("./cli/Backlog.ts")).seedBacklog, reading),
  snapshot: async () => bind((await import("./cli/Snapshots.ts")).snapshot, showing),
  report: async () => bind((await import("./cli/Snapshots.ts")).report, showing),
  "workflow-create": async () => bind((await import("./cli/Workflows.ts")).workflowCreate, reading),
  "workflow-list": async () => bind((await import("./cli/Workflows.ts")).workflowList, reading),
  "workflow-show": async () => bind((await import("./cli/Workflows.ts")).workflowShow, reading),
  "workflow-transition": async () => bind((await import("./cli/Workflows.ts")).workflowTransition, reading),
  "workflow-complete": async () => bind((await import("./cli/Workflows.ts")).workflowComplete, reading),
  "workflow-templates": async () => bind((await import("./cli/Workflows.ts")).workflowTemplates, configured),
  backup: async () => bind((await import("./cli/Backup.ts")).backup, keeping),
  "backup-verify": async () => bind((await import("./cli/Backup.ts")).backupVerify, backups),
  restore: async () => bind((await import("./cli/Backup.ts")).restore, restoring),
  prune: async () => bind((await import("./cli/Prune.ts")).prune, pruning),
  adopt: async () => bind((await import("./cli/Adopt.ts")).adopt, adopting),
  complete: async () => bind((await import("./cli/Complete.ts")).complete, present),
  "agent-init": async () => bind((await import("./cli/Install.ts")).agentInit, hostFiles),
  "install-units": async () => bind((await import("./cli/Install.ts")).installUnits, hostFiles),
  "config-schema": async () => bind((await import("./cli/ConfigSchema.ts")).configSchema, nothing),
  openapi: async () => bind((await import("./cli/OpenApi.ts")).openapi, nothing),
  demo: async () => bind((await import("./cli/Demo.ts")).demo, throwAway)
}

const about = { name: "agent-runtime", summary: "the runtime of one agent on one host" }

/** The command line with all its commands. */
export const program = async (version: string): Promise<Program> => {
  const [first, ...rest] = await Promise.all(Object.values(commands).map((load) => load()))
  return { ...about, version, commands: [first!, ...rest] }
}

/** The command line as far as these arguments need it: one that begins with a command's name needs no other. */
const programFor = async (version: string, [word]: ReadonlyArray<string>): Promise<Program> => {
  const load = word !== undefined && Object.hasOwn(commands, word) ? commands[word] : undefined
  return load === undefined ? program(version) : { ...about, version, commands: [await load()] }
}

/** Runs the command line of this process, after `first`, and ends the process with its exit code. */
export const start = async (version: string, first: ReadonlyArray<string> = []): Promise<void> => {
  const own = Platform.terminal()
  const terminal = { ...own, argv: [...first, ...own.argv] }
  const needed = await programFor(version, terminal.argv)
  Platform.launch(main(needed).pipe(Effect.provideService(Terminal, terminal)))
}
