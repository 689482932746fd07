import { expect, setDefaultTimeout, test } from "bun:test"
import { rm } from "node:fs/promises"
import { basename } from "node:path"
import type { Place } from "../support/binary.ts"
import { isLong } from "../support/breadth.ts"
import { claims, inPlace, outcomeOf, queue, runOnce, saying, scripted, story } from "./inPlace.ts"
import { type Lie, lies } from "./lies.ts"
import { exactly, StatusReport } from "./wire.ts"

setDefaultTimeout(60_000)

const byName = scripted('. "./lies/$1"')

/** Lays out what the lies are about and answers the absolute path of a file outside. */
const scene = async (place: Place): Promise<string> => {
  const outside = `${place.folder}-outside.txt`
  await Bun.write(outside, "outside\n")
  await place.write("old.txt", "old\n")
  await place.write("state/artifacts/old.md", "# Old\n")
  await place.write("state/artifacts-evil/a.md", "# Evil\n")
  return outside
}

const tell = async (place: Place, lie: Lie, at: number, outside: string) => {
  const filled = lie.script
    .replaceAll("{outside}", outside)
    .replaceAll("{outsideName}", basename(outside))
    .replaceAll("{place}", place.folder)
  await place.write(`lies/${at}`, filled)
  const payload = lie.intent?.payload
  return queue(place, {
    ...lie.intent,
    payload: { ...(typeof payload === "object" ? payload : {}), args: [String(at)] },
    max_attempts: 9
  })
}

for (const half of isLong ? [0, 1] : [0])
  test(`no lie is completed: ${half === 0 ? "the even ones" : "the odd ones"}`, () =>
    inPlace(byName, async (place) => {
      const told = lies.filter((_, at) => at % 2 === half)
      const outside = await scene(place)
      try {
        const ids: Array<string> = []
        for (const [at, lie] of told.entries()) ids.push(await tell(place, lie, at, outside))
        const came: Array<unknown> = []
        for (const id of ids) {
          const cycle = await runOnce(place)
          came.push({ id: cycle.task_id, status: cycle.status, reason: cycle.reason })
          expect(cycle.task_id).toBe(id)
        }
        expect(came).toEqual(
          told.map(({ reason, status }, at) => ({
            id: ids[at],
            status,
            reason: expect.stringContaining(reason)
          }))
        )
        const { counts } = exactly(StatusReport, await place.json(["status"]))
        expect(counts.completed).toBe(0)
      } finally {
        await rm(outside, { force: true })
      }
    }))

test("an honest claim of files and artifacts is completed", () =>
  inPlace(
    scripted(
      [
        "mkdir -p src state/artifacts/reports; echo new > src/new.ts; echo more >> old.txt; rm gone.txt",
        'echo "# A report" > "$AGENT_RUNTIME_ARTIFACT_DIR/reports/a.md"',
        saying(
          claims({
            file_changes: [
              "created: src/new.ts",
              "modified: ./old.txt - one line",
              "deleted: ./gone.txt",
              "tidied up"
            ],
            artifact_paths: ["reports/a.md"]
          })
        )
      ].join("\n")
    ),
    async (place) => {
      await place.write("old.txt", "old\n")
      await place.write("gone.txt", "gone\n")
      const id = await queue(place, { payload: { required_artifacts: ["reports/a.md"] } })
      expect(await runOnce(place)).toMatchObject({ status: "completed" })
      expect((await story(place, id)).artifacts).toEqual([{ path: "reports/a.md", exists: true, size: 11 }])
    }
  ))

test("an issue names what was claimed and what was found, in the task and in its attempt", () =>
  inPlace(scripted(saying(claims({ artifact_paths: ["a.md", "b.md"] }))), async (place) => {
    const { attempt, task } = await outcomeOf(place)
    expect(attempt.issues).toEqual([
      'artifact_missing: the reported artifact "a.md" does not exist below the artifact root.',
      'artifact_missing: the reported artifact "b.md" does not exist below the artifact root.'
    ])
    expect(attempt).toMatchObject({ status: "finished", exit_status: "ok" })
    expect(task.last_error).toContain('"a.md"')
    expect(task.outcome).toMatchObject({ status: "blocked", machine_status: "blocked" })
    expect(task.outcome?.operator_summary).toContain("It is done.")
  }))
