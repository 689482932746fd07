import { expect, test } from "bun:test"
import { Schema } from "effect"
import { inPlace, queue, scripted } from "../e2e/inPlace.ts"
import { dispatcher, Follower } from "../e2e/resident.ts"

const TASKS = 20
const Attempts = Schema.Struct({
  attempts: Schema.Array(Schema.Struct({ reason: Schema.NullOr(Schema.String) }))
})
const Listed = Schema.Struct({
  tasks: Schema.Array(Schema.Struct({ task_id: Schema.String, status: Schema.String }))
})

test(
  "a dispatcher that runs out of descriptors completes all there is: no task is blocked, and none fails for good",
  () =>
    inPlace(
      scripted("sleep 2; echo done", {}, { dispatch: { concurrency: 30 }, maxAttempts: 1 }),
      async (place) => {
        for (let n = 0; n < TASKS; n++) await queue(place)
        const history = new Follower(place)
        const resident = dispatcher(place, [], { under: ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"] })
        try {
          const ended = new Set<string>()
          while (ended.size < TASKS) {
            const event = await history.until(
              ({ event_type, task_id }) =>
                event_type === "task_finished" && task_id !== null && !ended.has(task_id)
            )
            ended.add(event.task_id ?? "")
          }
        } finally {
          await history.end()
          expect(await resident.ended("SIGTERM")).toMatchObject({ code: 0 })
        }
        const { tasks } = await place.read(Listed, ["task-list"])
        expect(tasks.map(({ status }) => status)).toEqual(Array.from({ length: TASKS }, () => "completed"))
        const { attempts } = await place.read(Attempts, ["attempt-list", "--limit", "500"])
        expect(attempts.filter(({ reason }) => reason?.startsWith("no_room: ")).length).toBeGreaterThan(0)
      }
    ),
  300_000
)
