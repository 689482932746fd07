import { setTimeout as pause } from "node:timers/promises"
import { type Fault, type Rounded, struck } from "../Fault.ts"
import { killBudgeted } from "../KillBudgeted.ts"
import { killDispatcher } from "../KillDispatcher.ts"
import { race } from "../Race.ts"
import { between, pick } from "../Random.ts"
import { Scene } from "../Scene.ts"

const KILLS = 10

export const dispatcherKilled: Fault = {
  name: "kill -9 of the dispatcher while others queue",
  needs: [],
  rounds: 10,
  sample: [],
  found: "",
  round: async ({ keepAs, random }) => {
    const { kills, violations } = await killDispatcher(KILLS, between(random, 0, 2 ** 30), keepAs)
    return { strikes: kills, violations }
  }
}

const commands: ReadonlyArray<ReadonlyArray<string>> = [
  ["intake", "--json", '{"kind":"note","source":"faults","payload":{},"dedupe_key":"one"}'],
  ["intake", "--json", '{"kind":"note","source":"faults","payload":{}}'],
  ["task-cancel", "--matching", "--status", "pending,retryable_failure"],
  ["task-retry", "--matching", "--status", "operator_canceled"],
  ["stop", "--now"],
  ["resume"],
  ["pause", "--reason", "a fault"],
  ["status"],
  ["task-list"],
  ["snapshot"],
  ["prune"],
  ["events", "--since", "0"],
  ["budget-grant", "daily", "--attempts", "1"]
]

/** Dispatcher, commands and the scripts of attempts are killed at random moments; then all is done that is left. */
export const everythingKilled: Fault = {
  name: "kill -9 of everything under load",
  needs: [],
  rounds: 20,
  sample: [0],
  found: "",
  round: ({ keepAs, number, random }) => killAll(number === 0 ? 2 : KILLS, random, keepAs)
}

const killAll = async (kills: number, random: () => number, keepAs: string | undefined): Promise<Rounded> => {
  const scene = await Scene.make("sleep 0.1", {
    config: {
      maxAttempts: 1_000,
      dispatch: { concurrency: 3 },
      budgets: [{ id: "daily", per: "all", window: "day", attempts: 100_000 }]
    }
  })
  const violations: Array<string> = []
  try {
    await scene.queue(2)
    for (let kill = 0; kill < kills; kill++) {
      const dispatcher = scene.dispatch()
      const asked = Array.from({ length: 3 }, async () => {
        const args = pick(random, commands)
        const command = scene.start(args)
        const alarm = setTimeout(() => command.kill("SIGKILL"), between(random, 5, 400))
        await command.ended
        clearTimeout(alarm)
      })
      await pause(between(random, 50, 600))
      if (random() < 0.5) Bun.spawnSync(["pkill", "-KILL", "-P", String(dispatcher.pid)])
      await Promise.all([dispatcher.end("SIGKILL"), ...asked])
      violations.push(...scene.check({ atRest: false }))
    }
    await scene.run(["resume"])
    violations.push(...(await scene.rest()))
    return { strikes: kills, violations: [...new Set(violations)] }
  } finally {
    await scene.end(violations.length > 0 ? keepAs : undefined)
  }
}

export const budgetKilled: Fault = {
  name: "kill -9 of two dispatchers with one budget",
  needs: [],
  rounds: 2,
  sample: [],
  found: "",
  round: async ({ keepAs, random }) => {
    const plan = { kills: 8, tasks: 40, limit: 24 }
    const { completed, ran, spent, violations } = await killBudgeted(plan, random, keepAs)
    return {
      strikes: 16,
      violations: [
        ...violations,
        ...(ran <= spent && spent === 24 && completed === 40
          ? []
          : [`${ran} ran, ${spent} of 24 were spent, ${completed} of 40 tasks are completed`])
      ]
    }
  }
}

export const startedTogether: Fault = {
  name: "two run-once started together",
  needs: [],
  rounds: 10,
  sample: [],
  found: "",
  round: async () => {
    const results = await race(10)
    return { strikes: results.length, violations: results.flatMap((one) => one.violations) }
  }
}

/** Calls by which a process takes the lock and looks at it, each made slower for one of the two. */
const lockCalls = ["flock", "fcntl", "openat", "unlink,unlinkat", "fsync", "pwrite64"]

export const raceWidened: Fault = {
  name: "lock races widened by delayed calls",
  needs: ["strace"],
  rounds: 24,
  sample: [0],
  found: "",
  round: async ({ keepAs, number, random }) => {
    const scene = await Scene.make("sleep 0.2")
    const calls = lockCalls[number % lockCalls.length] ?? "flock"
    const delay = (ms: number) => {
      const inject = `inject=${calls}:delay_enter=${ms * 1_000}:when=1+${between(random, 1, 5)}`
      return { under: ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject] }
    }
    let violations: ReadonlyArray<string> = []
    try {
      await scene.queue(1)
      const told = await Promise.all([
        scene.runOnce(delay(between(random, 1, 20))),
        scene.runOnce(random() < 0.5 ? delay(between(random, 1, 20)) : {}),
        scene.runOnce()
      ])
      violations = [
        ...told.filter(({ code }) => code !== 0).map(({ stderr }) => `a cycle failed: ${stderr}`),
        ...scene.check(),
        ...((await scene.counts()).completed === 1 ? [] : ["the task was not completed"])
      ]
      return struck(violations)
    } finally {
      await scene.end(violations.length > 0 ? keepAs : undefined)
    }
  }
}
