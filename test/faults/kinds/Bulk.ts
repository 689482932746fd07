import { setTimeout as pause } from "node:timers/promises"
import { Schema } from "effect"
import type { Fault } from "../Fault.ts"
import { between } from "../Random.ts"
import { rows } from "../Rows.ts"
import { Scene } from "../Scene.ts"

const TASKS = 10_000
/** So many a backlog may hold. */
const A_FILE = 1_000
const LIMIT_MS = 300_000

const Seeded = Schema.parseJson(
  Schema.Struct({ tasks: Schema.Array(Schema.Struct({ task_id: Schema.String })) })
)
const Moved = Schema.parseJson(Schema.Struct({ matched: Schema.Int, moved: Schema.Int, refused: Schema.Int }))

const backlog = (tasks: number, number: number): string => {
  const intents = Array.from({ length: Math.min(A_FILE, tasks - number * A_FILE) }, (_, at) => ({
    kind: "bulk",
    source: `faults:${number}`,
    subject: `${at}`,
    payload: {}
  }))
  return JSON.stringify({ workflows: [], tasks: intents })
}

const seed = async (scene: Scene, tasks: number): Promise<void> => {
  for (let number = 0; number * A_FILE < tasks; number++) {
    await scene.place.write("bulk.json", backlog(tasks, number))
    const told = await scene.run(["seed-backlog", "--file", "bulk.json"], { limitMs: LIMIT_MS })
    const { tasks: made } = Schema.decodeSync(Seeded)(told.stdout)
    scene.recorder.record(made.map(({ task_id }) => ({ told: "queued", taskId: task_id })))
  }
}

const inStatus = (scene: Scene, status: string): number =>
  rows<{ readonly n: number }>(scene.database, "SELECT count(*) AS n FROM tasks WHERE status = ?", status)[0]
    ?.n ?? 0

/**
 * Moves all there are, killed amid it again and again: each death finds more moved than the last and none moved
 * twice; whoever comes after moves what is left, and says so.
 */
const moveAll = async (
  scene: Scene,
  random: () => number,
  [args, from, to]: readonly [args: ReadonlyArray<string>, from: string, to: string],
  kills: number
): Promise<ReadonlyArray<string>> => {
  const broken: Array<string> = []
  let moved = inStatus(scene, to)
  for (let kill = 0; kill < kills; kill++) {
    const command = scene.start(args)
    const began = performance.now()
    // It is killed when it is at work, which on a busy host begins late.
    while (command.isAlive() && inStatus(scene, to) === moved && performance.now() - began < LIMIT_MS)
      await pause(10)
    await pause(between(random, 0, 300))
    await command.end("SIGKILL")
    const now = inStatus(scene, to)
    if (now < moved) broken.push(`after a SIGKILL ${now} are ${to}, before it ${moved} were`)
    moved = now
    broken.push(...scene.check())
  }
  const left = inStatus(scene, from)
  const told = await scene.run(args, { limitMs: LIMIT_MS })
  const answer = told.code === 0 ? Schema.decodeSync(Moved)(told.stdout) : undefined
  return [
    ...broken,
    ...(answer?.moved === left && answer.refused === 0
      ? []
      : [`${left} were left and it said ${told.stdout}${told.stderr}`]),
    ...(inStatus(scene, from) === 0 ? [] : [`${inStatus(scene, from)} are still ${from}`])
  ]
}

/** Bulk moves die amid their work: what is moved is moved once, whole, with its event; the rest is as it was. */
export const bulkKilled: Fault = {
  name: "kill -9 amid bulk moves of 10,000 tasks",
  needs: [],
  rounds: 3,
  sample: [0],
  found: "",
  round: async ({ keepAs, number, random }) => {
    const isSample = number === 0
    const tasks = isSample ? 40 : TASKS
    const kills = isSample ? 1 : 4
    const scene = await Scene.make()
    let violations: ReadonlyArray<string> = []
    const matching = ["--matching", "--kind", "bulk", "--status"]
    try {
      await seed(scene, tasks)
      violations = [
        ...(await moveAll(
          scene,
          random,
          [["task-cancel", ...matching, "pending"], "pending", "operator_canceled"],
          kills
        )),
        ...(await moveAll(
          scene,
          random,
          [["task-retry", ...matching, "operator_canceled"], "operator_canceled", "pending"],
          kills
        )),
        ...(await scene.run(["task-cancel", ...matching, "pending"], { limitMs: LIMIT_MS })).stderr
          .split("\n")
          .filter((line) => line.startsWith("agent-runtime: ")),
        ...(await scene.rest())
      ]
      return { strikes: 2 * kills, violations: [...new Set(violations)] }
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}
