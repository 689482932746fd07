import { setTimeout as pause } from "node:timers/promises"
import { Schema } from "effect"
import { Scene } from "./Scene.ts"
import { sightings, WITNESS } from "./Witness.ts"

const Shown = Schema.Struct({
  budgets: Schema.Array(
    Schema.Struct({
      spent: Schema.Number,
      reserved: Schema.Number,
      granted: Schema.Number,
      exhausted_at: Schema.NullOr(Schema.String)
    })
  )
})

const LONGEST_LIFE_MS = 600
const REST_WITHIN_MS = 30_000

export interface Budgeted {
  /** Attempts whose script really ran while the budget was the configured one. */
  readonly ran: number
  readonly spent: number
  /** What went beyond the limit, at any look, what was not given back in the end, and what else was broken. */
  readonly violations: ReadonlyArray<string>
  readonly completed: number
}

/**
 * Two resident dispatchers with a lock each share a database and run four attempts at once each, under a budget
 * of attempts; both are killed again and again at random moments. When no more may start a grant lets the rest go.
 * The folder of a broken promise is kept as `keepAs`.
 */
export const killBudgeted = async (
  { kills, limit, tasks }: { readonly kills: number; readonly tasks: number; readonly limit: number },
  random: () => number,
  keepAs?: string
): Promise<Budgeted> => {
  const scene = await Scene.make("sleep 0.1", {
    config: {
      maxAttempts: 1_000,
      dispatch: { concurrency: 4 },
      budgets: [{ id: "daily", per: "all", window: "day", attempts: limit }]
    },
    files: { "other.json": JSON.stringify({ extends: "runtime.json", lockPath: "state/other.lock" }) }
  })
  const { place } = scene
  const violations: Array<string> = []
  const account = async () => (await place.read(Shown, ["budget-show"])).budgets[0]!
  const look = async () => {
    const { granted, reserved, spent } = await account()
    if (spent + reserved > limit + granted)
      violations.push(`${spent} spent and ${reserved} set aside of ${limit} and ${granted} granted`)
  }
  const starts = () => sightings(place.path("state", WITNESS)).filter(({ what }) => what === "start").length
  const dispatchers = () => [
    scene.dispatch(),
    scene.dispatch({ env: { AGENT_RUNTIME_CONFIG: place.path("other.json") } })
  ]
  const until = async (isSo: () => Promise<boolean>, what: string) => {
    const late = performance.now() + REST_WITHIN_MS
    while (!(await isSo()))
      if (performance.now() > late) return void violations.push(`after ${REST_WITHIN_MS} ms: not ${what}`)
      else await pause(50)
  }
  const completed = async () => (await scene.counts()).completed ?? 0
  try {
    await scene.queue(tasks)
    for (let kill = 0; kill < kills; kill++) {
      const both = dispatchers()
      await pause(random() * LONGEST_LIFE_MS)
      await Promise.all(both.map((one) => one.end("SIGKILL")))
      await look()
    }
    const both = dispatchers()
    await until(async () => (await account()).exhausted_at !== null, "exhausted")
    await until(async () => (await account()).reserved === 0, "settled")
    await look()
    const { spent } = await account()
    const ran = starts()
    await place.json(["budget-grant", "daily", "--attempts", String(tasks * 10)])
    await until(async () => (await completed()) === tasks, "completed")
    await Promise.all(both.map((one) => one.end("SIGTERM")))
    const { reserved } = await account()
    if (reserved !== 0) violations.push(`${reserved} is still set aside`)
    violations.push(...scene.check())
    return { ran, spent, violations, completed: await completed() }
  } finally {
    await scene.end(violations.length > 0 ? keepAs : undefined)
  }
}
