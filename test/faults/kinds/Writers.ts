import { copyFile, cp, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import type { Fault } from "../Fault.ts"
import { HttpClients } from "../HttpClients.ts"
import { Scene, witnessAdapter } from "../Scene.ts"

const note = (more: object = {}) => JSON.stringify({ kind: "note", source: "faults", payload: {}, ...more })
const says = (outcome: object) =>
  `echo '${JSON.stringify({ machine_status: "ok", operator_summary: "said", ...outcome })}'`

/** What a task does is its argument. */
const WORK = `case "$1" in
ask) ${says({ status: "blocked", machine_status: "blocked", question: { text: "Which?", choices: ["red", "blue"] } })} ;;
send) ${says({ status: "completed", external_messages: [{ type: "discord", text: "done" }], follow_up_tasks: [{ kind: "bulk", payload: {} }] })} ;;
limit) ${says({ status: "retryable_failure", machine_status: "needs_retry", retry_after_seconds: 3000 })} ;;
fail) exit 7 ;;
esac`

const schedule = (name: string) =>
  JSON.stringify({ name, interval_seconds: 3600, task: { kind: "note", source: "s", payload: {} } })
const sensor = JSON.stringify({
  sensor_id: "s",
  event_id: "1",
  source_ref: "r",
  dedupe_key: "d",
  payload: {},
  proposed_task: { kind: "note", source: "s", payload: {} },
  proposed_workflow: { template: "wallet-onboarding", instance_key: "other", context: {} }
})

const config = {
  maxAttempts: 1,
  adapters: { local: witnessAdapter(), slow: witnessAdapter() },
  budgets: [{ id: "daily", per: "all", window: "day", attempts: 100_000 }]
}
const profile = { result_schema: { allow_external_messages: true, allow_follow_up_tasks: true } }
const files = {
  "event.json": JSON.stringify({
    event: "push",
    repository: "r",
    title: "t",
    number: 1,
    author: "a",
    url: "u",
    merged: true,
    summary: "s"
  }),
  "mention.json": JSON.stringify({ event: "mention", channel: "c", author: "a", message: "m" }),
  "backlog.json": JSON.stringify({
    workflows: [{ template: "wallet-onboarding", instance_key: "backlog", context: {} }],
    tasks: [{ kind: "note", source: "backlog", subject: "one", payload: {} }]
  })
}

const original = join(import.meta.dir, "../../../fixtures/databases/original-runtime.db")

/** Ids that commands name. */
interface House {
  readonly scene: Scene
  readonly asked: string
  readonly failed: string
  readonly waits: string
  readonly attempt: string
  readonly message: string
}

const ids = (stdout: string): { readonly task_id: string; readonly attempt_id: string } => JSON.parse(stdout)

/** The id of the first message in an answer of `outbox-list`. */
const messageIn = (stdout: string): string => /"id": *"([^"]+)"/.exec(stdout)?.[1] ?? "none"

const empty = async (): Promise<House> => {
  const scene = await Scene.make(WORK, { config, profile, files })
  await copyFile(original, scene.place.path("old.db"))
  return { scene, asked: "", failed: "", waits: "", attempt: "", message: "" }
}

/** A place in which every command that writes has something to do; its state is kept as `kept`. */
const furnished = async (): Promise<House> => {
  const { scene } = await empty()
  const done = async (word: string, more: object = {}) => {
    await scene.run(["intake", "--json", note({ payload: { args: [word] }, ...more })])
    return ids((await scene.runOnce()).stdout)
  }
  const sent = await done("send")
  const message = messageIn((await scene.run(["outbox-list"])).stdout)
  const asked = (await done("ask", { priority: 9 })).task_id
  const failed = (await done("fail", { priority: 9 })).task_id
  await done("limit", { priority: 9, requested_adapter: "slow" })
  const waits = ids((await scene.run(["intake", "--json", note({ dedupe_key: "k" })])).stdout).task_id
  for (const args of [
    ["intake", "--json", note({ kind: "bulk" })],
    ["schedule-create", "--json", schedule("due")],
    ["workflow-create", "--template", "wallet-onboarding", "--instance_key", "w"],
    ["backup", "--to", "b.db"]
  ])
    await scene.run(args)
  await cp(scene.place.state, scene.place.path("kept"), { recursive: true })
  return { scene, asked, failed, waits, attempt: sent.attempt_id, message }
}

/** Every command that writes, as it is asked in the furnished place. */
const writers: ReadonlyArray<(house: House) => ReadonlyArray<string>> = [
  () => ["intake", "--json", note()],
  () => ["bridge-github", "--file", "event.json"],
  () => ["bridge-discord", "--file", "mention.json"],
  () => ["schedule-create", "--json", schedule("new")],
  () => ["schedule-tick"],
  () => ["schedule-disable", "due"],
  () => ["schedule-enable", "due"],
  () => ["schedule-delete", "due"],
  () => ["sensor-event", "--json", sensor],
  () => ["seed-backlog", "--file", "backlog.json"],
  () => ["workflow-create", "--template", "goal-loop", "--instance_key", "g", "--context", '{"summary":"s"}'],
  () => ["workflow-transition", "--instance_key", "w", "--state", "draft-wallet-checklist"],
  () => ["workflow-complete", "--instance_key", "w"],
  ({ message }) => ["outbox-ack", message],
  () => ["run-once"],
  ({ waits }) => ["task-cancel", waits],
  () => ["task-cancel", "--matching", "--kind", "bulk"],
  ({ failed }) => ["task-retry", failed, "--note", "again"],
  () => ["task-retry", "--matching", "--status", "blocked"],
  ({ asked }) => ["task-answer", asked, "--choice", "red"],
  ({ attempt }) => ["task-replay", attempt],
  () => ["pause", "--reason", "r"],
  () => ["resume"],
  () => ["stop", "--now"],
  () => ["adapter-clear", "slow"],
  () => ["budget-grant", "daily", "--attempts", "2"],
  () => ["snapshot", "--label", "l"],
  () => ["prune"],
  () => ["backup", "--to", "c.db"],
  () => ["restore", "--from", "b.db"],
  () => ["adopt", "--from", "old.db"]
]

/** Residents are killed at their writes as well: they are given work until they die or have done it all. */
const residents: ReadonlyArray<ReadonlyArray<string>> = [
  ["dispatch"],
  ["up", "--port", "0"],
  ["serve", "--port", "0"]
]

/** What is asked first of a host makes the database. */
const firsts: ReadonlyArray<ReadonlyArray<string>> = [
  ["status"],
  ["intake", "--json", note()],
  ["run-once"],
  ["adopt", "--from", "old.db"]
]

interface Victim {
  readonly args: ReadonlyArray<string>
  /** The state folder in which it begins, as it was kept; none for a host that is new. */
  readonly kept: boolean
  readonly isResident: boolean
}

const VICTIMS = writers.length + residents.length + firsts.length

const victimOf = (number: number, house: House): Victim => {
  const ask = writers[number]
  if (ask !== undefined) return { args: ask(house), kept: true, isResident: false }
  const resident = residents[number - writers.length]
  if (resident !== undefined) return { args: resident, kept: true, isResident: true }
  const args = firsts[number - writers.length - residents.length] ?? []
  return { args, kept: false, isResident: false }
}

const MOST_POINTS = 40
const POINTS_A_ROUND = 20
const ROUNDS = (VICTIMS * MOST_POINTS) / POINTS_A_ROUND
/** Where a round beyond those strikes, for the sample: at the beginning, and where most commands are at work. */
const FEW_POINTS = [1, 9]

const FIRST_INTAKE = writers.length + residents.length + 1

const pointsOf = (number: number): ReadonlyArray<number> => {
  const first = 1 + POINTS_A_ROUND * Math.floor(number / VICTIMS)
  return number < ROUNDS ? Array.from({ length: POINTS_A_ROUND }, (_, at) => first + at) : FEW_POINTS
}

const RESIDENT_MS = 30_000
const IDLE_MS = 1_000

const under = (at: number, ...more: ReadonlyArray<string>) => ({
  under: [
    ...["strace", ...more, "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64"],
    ...["-e", `inject=pwrite64:signal=KILL:when=${at}`]
  ]
})

/** Lets a resident work until it dies, or has had nothing to do for a while. */
const reside = async (scene: Scene, args: ReadonlyArray<string>, at: number, random: () => number) => {
  const resident = scene.start(args, under(at, "-D"))
  const clients = new HttpClients(scene, random)
  const serving = (async () => {
    const url = (await resident.says(/Listening on (http:\/\/[^"\s]+)\//))?.[1]
    if (url !== undefined) await clients.produce(url)
  })()
  const late = performance.now() + RESIDENT_MS
  let idleSince = performance.now()
  while (resident.isAlive() && performance.now() < Math.min(late, idleSince + IDLE_MS)) {
    const { pending = 0, queued = 0, running = 0 } = await scene.counts()
    if (args[0] !== "dispatch" || pending + queued + running > 0) idleSince = performance.now()
    await pause(50)
  }
  resident.kill("SIGTERM")
  const told = await resident.ended
  await serving
  return { told, wrong: clients.wrong }
}

/** Every command that writes is killed as it enters each of its first 40 `pwrite64`, then asked again. */
export const killedAtWrite: Fault = {
  name: "SIGKILL at each of the first 40 pwrite64 of every command",
  needs: ["strace"],
  rounds: ROUNDS,
  sample: [ROUNDS + FIRST_INTAKE],
  found: "",
  round: async ({ keepAs, number, random }) => {
    const victim = number % VICTIMS
    const house = victim < writers.length + residents.length ? await furnished() : await empty()
    const { scene } = house
    const { args, isResident, kept } = victimOf(victim, house)
    const broken: Array<string> = []
    let strikes = 0
    try {
      for (const at of pointsOf(number)) {
        await rm(scene.place.state, { recursive: true, force: true })
        if (kept) await cp(scene.place.path("kept"), scene.place.state, { recursive: true })
        await rm(scene.place.path("c.db"), { force: true })
        // What was told of a state that is then put back tells nothing of the next one.
        const before = scene.recorder.facts.length
        const { told, wrong } = isResident
          ? await reside(scene, args, at, random)
          : { told: await scene.run(args, under(at)), wrong: [] }
        if (told.signal === null) break
        strikes++
        const again = isResident ? undefined : await scene.run(args)
        await scene.run(["run-once"])
        const facts = scene.recorder.facts.slice(before)
        const seen = scene.check({ facts, adopted: args[0] === "adopt" })
        broken.push(...[...wrong, ...seen].map((one) => `${args.join(" ")} at ${at}: ${one}`))
        if (again !== undefined && again.code !== 0 && again.code !== 1)
          broken.push(`${args.join(" ")} at ${at}: asked again it exited ${again.code}: ${again.stderr}`)
      }
      return { strikes, violations: broken }
    } finally {
      await scene.end(broken.length > 0 ? keepAs : undefined)
    }
  }
}
