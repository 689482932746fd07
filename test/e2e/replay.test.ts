import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import { createHash } from "node:crypto"
import { readFile, rm, writeFile } from "node:fs/promises"
import { Schema } from "effect"
import type { Place, PlaceOptions } from "../support/binary.ts"
import { claims, errorOf, inPlace, queue, runOnce, saying, story } from "./inPlace.ts"
import { exactly, Hash, Id } from "./wire.ts"

setDefaultTimeout(60_000)

// What an adapter is given of its input, kept where the test finds it, and an answer.
const WORK = `#!/bin/sh
mkdir -p "$AGENT_RUNTIME_STATE_DIR/seen"
printf '%s' "$AGENT_RUNTIME_TASK_PAYLOAD_JSON" > "$AGENT_RUNTIME_STATE_DIR/seen/$AGENT_RUNTIME_TASK_ID"
${saying(claims({ follow_up_tasks: [{ kind: "more", payload: {} }], external_messages: [{ text: "hi" }] }))}
`

const staged: PlaceOptions = {
  config: {
    adapters: {
      local: { mode: "script", command: "./work.sh", timeoutMs: 30_000 },
      other: { mode: "script", command: "/bin/echo", extraArgs: ["other words"], timeoutMs: 30_000 }
    }
  },
  profile: { result_schema: { allow_follow_up_tasks: true, allow_external_messages: true } },
  files: { "work.sh": WORK }
}

const Replayed = Schema.Struct({ ok: Schema.Literal(true), task_id: Id, status: Schema.Literal("pending") })

const replay = async (place: Place, ...args: ReadonlyArray<string>) =>
  exactly(Replayed, await place.json(["task-replay", ...args])).task_id

/** A command that must be refused, and its one error. */
const refused = async (place: Place, code: number, ...args: ReadonlyArray<string>) => {
  const told = await place.run([...args, "-o", "json"])
  expect([told.code, told.stdout]).toEqual([code, ""])
  return errorOf(told)
}

const Shown = Schema.Struct({
  bundle_id: Id,
  bundle_hash: Hash,
  replay_grade: Schema.String,
  task_id: Id,
  attempt_id: Id,
  bundle_path: Schema.String,
  prompt_path: Schema.String,
  prompt_intact: Schema.Boolean,
  task: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  adapter: Schema.Struct({ id: Schema.String }),
  prompt: Schema.Struct({ rendered_text: Schema.String })
})

const bundleOf = (place: Place, id: string) => place.read(Shown, ["bundle-show", id])

const artifact = (place: Place, path: string) => readFile(`${place.state}/artifacts/${path}`, "utf8")

/** The one attempt of a task, and the bytes that its adapter was handed as its prompt. */
const ranOnce = async (place: Place, id: string) => {
  const { attempts } = await story(place, id)
  const [attempt] = attempts
  if (attempt === undefined || attempts.length !== 1)
    throw new Error(`task ${id} has ${attempts.length} attempts`)
  return { attempt, prompt: await artifact(place, attempt.prompt_path ?? "") }
}

/** A task that was run, its follow-up out of the way. */
const original = async (place: Place, intent: Readonly<Record<string, unknown>> = {}) => {
  const id = await queue(place, { subject: "Look", payload: { z: 1, a: "work" }, ...intent })
  await runOnce(place)
  for (const child of (await story(place, id)).children) await place.json(["task-cancel", child.task_id])
  return { id, ...(await ranOnce(place, id)) }
}

test("a bundle is shown as it lies on disk, and its hash is that of its bytes", () =>
  inPlace(staged, async (place) => {
    const { attempt, id } = await original(place)
    const shown = await bundleOf(place, attempt.bundle_id ?? "")
    expect(shown).toMatchObject({
      bundle_hash: attempt.bundle_hash,
      task_id: id,
      attempt_id: attempt.attempt_id,
      prompt_intact: true,
      task: { payload: { z: 1, a: "work" } }
    })
    expect(await bundleOf(place, attempt.attempt_id)).toEqual(shown)
    expect(await bundleOf(place, id)).toEqual(shown)
    const file = await artifact(place, shown.bundle_path)
    const { bundle_id: _, ...rest } = JSON.parse(file)
    // The file is canonical, so that its own order of keys is the canonical one.
    expect(createHash("sha256").update(JSON.stringify(rest)).digest("hex")).toBe(shown.bundle_hash)
    expect(await artifact(place, shown.prompt_path)).toBe(shown.prompt.rendered_text)
    const table = await place.run(["bundle-show", id, "-o", "table"])
    expect(table.code).toBe(0)
    for (const words of [
      shown.bundle_hash,
      "replay grade",
      "Workspace",
      shown.prompt.rendered_text.split("\n")[0]!
    ])
      expect(table.stdout).toContain(words)
  }))

test("a replay runs the recorded bundle byte for byte, as a task of its own", () =>
  inPlace(staged, async (place) => {
    const { attempt, id, prompt } = await original(place, { dedupe_key: "once", priority: 8 })
    // What a new attempt would be compiled from is another by now.
    await place.write(
      "plain.json",
      JSON.stringify({ profile_id: "plain", style: "codex-like", role: "Somebody else." })
    )
    const again = await replay(place, attempt.attempt_id)
    expect(await runOnce(place)).toMatchObject({ task_id: again, status: "completed" })
    const second = await ranOnce(place, again)
    expect(second.prompt).toBe(prompt)
    expect(second.attempt).toMatchObject({
      bundle_hash: attempt.bundle_hash,
      replay_grade: attempt.replay_grade,
      adapter_id: "local",
      profile_id: "plain"
    })
    expect(second.attempt.bundle_id).not.toBe(attempt.bundle_id)
    const [one, two] = [await bundleOf(place, id), await bundleOf(place, again)]
    expect((await artifact(place, two.bundle_path)).replace(two.bundle_id, one.bundle_id)).toBe(
      await artifact(place, one.bundle_path)
    )
    const seen = (task: string) => readFile(`${place.state}/seen/${task}`, "utf8")
    expect(await seen(again)).toBe(await seen(id))
    const { children, events, replay_of, task } = await story(place, again)
    expect(task).toMatchObject({
      source: `replay:${attempt.attempt_id}`,
      subject: "Look",
      priority: 8,
      dedupe_key: null,
      parent_task_id: null
    })
    expect(children).toEqual([])
    expect(events.filter((event) => event.event_type === "follow_up_refused")).toHaveLength(2)
    expect(replay_of).toMatchObject({ task_id: id, attempt_id: attempt.attempt_id })
    const first = await story(place, id)
    expect(first.events.find((event) => event.event_type === "task_replayed")).toMatchObject({
      attempt_id: attempt.attempt_id,
      actor: { surface: "cli" },
      detail: { replay_task_id: again, changed: [] }
    })
    const db = new Database(`${place.state}/runtime.db`, { readonly: true })
    try {
      expect(db.query("SELECT count(*) AS n FROM outbox").get()).toEqual({ n: 1 })
    } finally {
      db.close()
    }
  }))

const Diff = Schema.Struct({
  same: Schema.Boolean,
  changes: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      change: Schema.String,
      before: Schema.Unknown,
      after: Schema.Unknown
    })
  ),
  prompt: Schema.Array(
    Schema.Struct({ removed: Schema.Array(Schema.String), added: Schema.Array(Schema.String) })
  )
})

test("a replay on another adapter has the same prompt and is told side by side", () =>
  inPlace(staged, async (place) => {
    const { attempt, id, prompt } = await original(place)
    const again = await replay(place, "--adapter", "other", attempt.attempt_id)
    await runOnce(place)
    const second = await ranOnce(place, again)
    expect(second.prompt).toBe(prompt)
    expect(second.attempt.adapter_id).toBe("other")
    expect(second.attempt.bundle_hash).not.toBe(attempt.bundle_hash)
    const diff = await place.read(Diff, ["bundle-diff", attempt.attempt_id, second.attempt.attempt_id])
    expect(diff).toEqual({
      same: false,
      changes: [
        { path: "adapter.id", change: "changed", before: "local", after: "other" },
        { path: "adapter.args", change: "changed", before: [], after: ["other words"] }
      ],
      prompt: []
    })
    const first = await story(place, id)
    expect(first.replays).toMatchObject([
      {
        task_id: again,
        attempt_id: second.attempt.attempt_id,
        of_attempt_id: attempt.attempt_id,
        adapter_id: "other",
        status: "completed",
        bundle_hash: second.attempt.bundle_hash,
        operator_summary: "other words"
      }
    ])
    expect(first.replays[0]?.duration_ms).toBeGreaterThanOrEqual(0)
    const table = await place.run(["task-show", id, "-o", "table"])
    expect(table.stdout).toContain("Replays")
    expect(table.stdout).toContain("other words")
  }))

test("a diff tells what changed of two tasks, for a person too, and of megabytes no more than a page", () =>
  inPlace(staged, async (place) => {
    const big = "word ".repeat(200_000)
    const one = await original(place, { payload: { message: "old", big } })
    const two = await original(place, { payload: { message: "new", big: `${big}!` } })
    const told = await place.run(["bundle-diff", one.id, two.id, "-o", "json"])
    expect(told.stdout.length).toBeLessThan(20_000)
    const diff = Schema.decodeUnknownSync(Schema.parseJson(Diff))(told.stdout)
    expect(diff.same).toBe(false)
    expect(diff.changes).toMatchObject([
      { path: "task.payload.big", before: { characters: 1_000_000 }, after: { characters: 1_000_001 } },
      { path: "task.payload.message", before: "old", after: "new" }
    ])
    const table = await place.run(["bundle-diff", one.id, two.id, "-o", "table"])
    expect([table.code, table.stdout.includes("@@ line")]).toEqual([0, true])
    expect(table.stdout).toMatch(/1,?000,?001 characters/)
    expect(await place.json(["bundle-diff", one.id, one.attempt.bundle_id ?? ""])).toMatchObject({
      same: true,
      changes: [],
      prompt: []
    })
  }))

test("what cannot be replayed is refused, and nothing is queued", () =>
  inPlace(staged, async (place) => {
    const failed = await queue(place, { requested_profile: "nobody" })
    await runOnce(place)
    const none = (await story(place, failed)).attempts[0]?.attempt_id ?? ""
    const { attempt, id } = await original(place)
    const path = (await bundleOf(place, id)).bundle_path
    const file = `${place.state}/artifacts/${path}`
    const genuine = await readFile(file, "utf8")

    const unknown = await refused(place, 2, "task-replay", attempt.attempt_id, "--adapter", "ghost")
    expect(unknown).toMatchObject({ code: "adapter_unknown", hint: "configured are local, other" })
    expect(await refused(place, 1, "task-replay", none)).toMatchObject({ code: "no_bundle" })
    expect(await refused(place, 1, "task-replay", "nothing")).toMatchObject({ code: "bundle_not_found" })
    expect((await refused(place, 1, "bundle-show", "nothing")).code).toBe("bundle_not_found")

    await writeFile(file, genuine.replace("Do what the task says", "Do what you like"))
    for (const args of [
      ["task-replay", attempt.attempt_id],
      ["bundle-show", id],
      ["bundle-diff", id, id]
    ]) {
      const { code, error } = await refused(place, 1, ...args)
      expect(code).toBe("bundle_changed")
      expect(error).toContain(path)
    }
    await rm(file)
    for (const args of [
      ["task-replay", attempt.attempt_id],
      ["bundle-show", id]
    ]) {
      const { code, error } = await refused(place, 1, ...args)
      expect(code).toBe("bundle_missing")
      expect(error).toContain(path)
    }
    expect((await story(place, id)).replays).toEqual([])
    expect(await runOnce(place)).toEqual({ ok: true, status: "idle" })
    await writeFile(file, genuine)
    await replay(place, attempt.attempt_id)
  }))
