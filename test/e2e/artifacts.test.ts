import { expect, setDefaultTimeout, test } from "bun:test"
import { readdir } from "node:fs/promises"
import { claims, inPlace, queue, runOnce, saying, scripted, story } from "./inPlace.ts"

setDefaultTimeout(60_000)

const intent = { subject: "The story", payload: { output_path: "stories/one.md" } }

test("the runtime writes a declared output that its script did not write, and keeps the older version", () =>
  inPlace(scripted("echo told at $(date +%s%N)"), async (place) => {
    const path = "state/artifacts/stories/one.md"
    await place.write(path, "# By a person\n")
    const first = await queue(place, intent)
    expect((await runOnce(place)).status).toBe("completed")
    const text = await Bun.file(place.path(path)).text()
    expect(text).toContain("The story")
    expect(text).toContain(first)
    expect(text).toContain("told at")
    const shown = await story(place, first)
    expect(shown.task.outcome?.artifact_paths).toEqual(["stories/one.md"])
    expect(shown.artifacts).toEqual([{ path: "stories/one.md", exists: true, size: Buffer.byteLength(text) }])

    await queue(place, intent)
    expect((await runOnce(place)).status).toBe("completed")
    expect((await readdir(place.path("state/artifacts/stories"))).sort()).toEqual([
      "one.1.md",
      "one.2.md",
      "one.md"
    ])
    expect(await Bun.file(place.path("state/artifacts/stories/one.1.md")).text()).toBe("# By a person\n")
    expect(await Bun.file(place.path("state/artifacts/stories/one.2.md")).text()).toBe(text)
  }))

test("what a script wrote itself is never written over", () =>
  inPlace(
    scripted(
      `mkdir -p "$AGENT_RUNTIME_ARTIFACT_DIR/stories"; echo mine > "$AGENT_RUNTIME_ARTIFACT_DIR/stories/one.md"\n${saying(claims())}`
    ),
    async (place) => {
      const id = await queue(place, intent)
      expect((await runOnce(place)).status).toBe("completed")
      expect(await Bun.file(place.path("state/artifacts/stories/one.md")).text()).toBe("mine\n")
      expect(await readdir(place.path("state/artifacts/stories"))).toEqual(["one.md"])
      expect((await story(place, id)).artifacts).toMatchObject([{ path: "stories/one.md", exists: true }])
    }
  ))

test("an output is written nowhere outside the artifact root", () =>
  inPlace({}, async (place) => {
    await place.write("state/artifacts/x", "a file where a folder would have to be")
    const outputs = ["../one.md", "/tmp/agent-runtime-e2e-one.md", "bundles/one.md", "x/one.md", ""]
    for (const output_path of outputs) await queue(place, { payload: { output_path } })
    const came: Array<unknown> = []
    for (const _ of outputs) came.push((await runOnce(place)).status)
    expect(came).toEqual(outputs.map(() => "blocked"))
    expect(await Bun.file(place.path("state/one.md")).exists()).toBe(false)
    expect(await Bun.file("/tmp/agent-runtime-e2e-one.md").exists()).toBe(false)
  }))
