import { expect, setDefaultTimeout, test } from "bun:test"
import { Schema } from "effect"
import { inPlace, queue, runOnce } from "./inPlace.ts"
import { Events, exactly, RunEvent } from "./wire.ts"

setDefaultTimeout(60_000)

test("events --since answers what came after an id, oldest first; without it the newest", () =>
  inPlace({}, async (place) => {
    for (let count = 0; count < 3; count++) await queue(place)
    const events = async (...args: ReadonlyArray<string>) =>
      exactly(Events, await place.json(["events", ...args])).events.map((one) => one.id)
    const all = await events("--since", "0")
    expect(all).toHaveLength(3)
    expect(all).toEqual([...all].sort((a, b) => a - b))
    expect(await events("--since", String(all[0]))).toEqual(all.slice(1))
    expect(await events("--since", "0", "--limit", "1")).toEqual(all.slice(0, 1))
    expect(await events("--limit", "2")).toEqual(all.slice(1))
    expect(await events("--since", "999999")).toEqual([])
    const followed = await place.run(["events", "--follow", "--since", "0", "--limit", "2"])
    expect(followed).toMatchObject({ code: 0, stderr: "" })
    expect(
      followed.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).id)
    ).toEqual(all.slice(0, 2))
  }))

test("events --follow prints what other processes commit, an object a line, each once and in order", () =>
  inPlace({}, async (place) => {
    await queue(place)
    const following = place.start(["events", "--follow", "--since", "0"])
    const reader = following.stdout.pipeThrough(new TextDecoderStream()).getReader()
    let text = ""
    const until = async (lines: number): Promise<void> => {
      while (text.split("\n").length - 1 < lines) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`the stream ended after ${text}`)
        text += value
      }
    }
    try {
      await until(1)
      await queue(place)
      await until(2)
      await runOnce(place)
      await until(7)
      await place.json(["pause"])
      await until(8)
    } finally {
      following.kill("SIGINT")
    }
    expect(await following.exited).toBe(130)
    const seen = text
      .trimEnd()
      .split("\n")
      .map((line) => exactly(Schema.parseJson(RunEvent), line))
    expect(seen).toEqual([...exactly(Events, await place.json(["events", "--since", "0"])).events])
    expect(seen.at(-1)?.event_type).toBe("dispatch_pause_enabled")
  }))
