import { cp, rm } from "node:fs/promises"
import type { Fault, Rounded } from "../Fault.ts"
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

/** Ids that commands name. */
interface House {
  readonly scene: Scene
  readonly asked: string
  readonly failed: string
  readonly waits: string
  readonly attempt: string
}

const ids = (stdout: string): { readonly task_id: string; readonly attempt_id: string } => JSON.parse(stdout)

/** A place in which every command that writes has something to do; its state is kept as `kept`. */
const furnished = async (): Promise<House> => {
  const scene = await Scene.make(WORK, { config, profile, files })
  const done = async (word: string, more: object = {}) => {
    await scene.run(["intake", "--json", note({ payload: { args: [word] }, ...more })])
    return ids((await scene.runOnce()).stdout)
  }
  const sent = await done("send")
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
  return { scene, asked, failed, waits, attempt: sent.attempt_id }
}

/** Every command that writes, as it is asked in the furnished place. */
const writers: ReadonlyArray<(house: House) => ReadonlyArray<string>> = [
  () => ["intake", "--json", note()],
  () => ["bridge-github", "--file", "event.json"],
  () => ["bridge-discord", "--file", "mention.json"],
  () => ["schedule-create", "--json", schedule("new")],
  () => ["schedule-tick"],
  () => ["schedule-disable", "due"],
  () => ["schedule-delete", "due"],
  () => ["sensor-event", "--json", sensor],
  () => ["seed-backlog", "--file", "backlog.json"],
  () => ["workflow-create", "--template", "goal-loop", "--instance_key", "g", "--context", '{"summary":"s"}'],
  () => ["workflow-transition", "--instance_key", "w", "--state", "draft-wallet-checklist"],
  () => ["workflow-complete", "--instance_key", "w"],
  () => ["outbox-ack", "1"],
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
  () => ["restore", "--from", "b.db"]
]

const MOST_POINTS = 40

/** Every command that writes is killed as it enters each of its first 40 `pwrite64`, then asked again. */
export const killedAtWrite: Fault = {
  name: "SIGKILL at each of the first 40 pwrite64 of every command",
  needs: ["strace"],
  rounds: writers.length,
  sample: [],
  found: "",
  round: ({ keepAs, number }) => killed(number, MOST_POINTS, keepAs)
}

/** The same for one command at two points, for the sample. */
export const killed = async (number: number, points: number, keepAs?: string): Promise<Rounded> => {
  const house = await furnished()
  const { scene } = house
  const args = writers[number % writers.length]?.(house) ?? []
  const broken: Array<string> = []
  let strikes = 0
  try {
    for (let at = 1; at <= points; at++) {
      await rm(scene.place.state, { recursive: true })
      await cp(scene.place.path("kept"), scene.place.state, { recursive: true })
      await rm(scene.place.path("c.db"), { force: true })
      const inject = `inject=pwrite64:signal=KILL:when=${at}`
      const under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", inject]
      // What is told of a state that is then put back tells nothing of the next one.
      const told = await scene.place.run(args, { under })
      if (told.signal === null) break
      strikes++
      const again = await scene.place.run(args)
      scene.heard([args[0] ?? "", "again"], { ...again, stdout: "" }, false)
      await scene.place.run(["run-once"])
      const seen = scene.check({ facts: [], seen: [] })
      broken.push(...seen.map((one) => `${args.join(" ")} at ${at}: ${one}`))
      if (again.code !== 0 && again.code !== 1)
        broken.push(`${args.join(" ")} at ${at}: asked again it exited ${again.code}: ${again.stderr}`)
    }
    return { strikes, violations: broken }
  } finally {
    await scene.end(broken.length > 0 ? keepAs : undefined)
  }
}
