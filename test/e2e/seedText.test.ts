import { expect, setDefaultTimeout, test } from "bun:test"
import { inSourceTree } from "../support/sourceTree.ts"

setDefaultTimeout(60_000)

const install = "cp config/runtime.example.json config/runtime.json"

const story = `bun run src/cli.ts intake --json '{
"kind": "github-story",
"source": "github",
"priority": 5,
"payload": {
"repo": "aibtcdev/agent-runtime",
"summary": "Summarize what this PR means for operators"
},
"requested_profile": "lumen"
}'`

const checkIn = `bun run src/cli.ts intake --json '{
"kind": "aibtc-checkin",
"source": "operator:future-checkin",
"subject": "AIBTC check-in",
"payload": { "check": "heartbeat" },
"requested_adapter": "aibtc-heartbeat",
"schedule": { "delay_minutes": 30 }
}'`

const schedule = `bun run src/cli.ts schedule-create --json '{
"name": "aibtc-checkin",
"interval_seconds": 305,
"task": {
"kind": "aibtc-checkin",
"source": "schedule:aibtc-checkin",
"subject": "AIBTC check-in",
"payload": { "check": "heartbeat" },
"requested_adapter": "aibtc-heartbeat"
}
}'`

const sensorEvent = `bun run src/cli.ts sensor-event --json '{
"sensor_id": "discord-mentions",
"event_id": "message-123",
"source_ref": "discord://channel/message-123",
"dedupe_key": "discord:message-123",
"payload": { "summary": "external request" },
"proposed_workflow": {
"template": "goal-loop",
"instance_key": "discord-message-123",
"context": {
"summary": "Respond to Discord request",
"objective": "Investigate and respond with evidence"
}
}
}'`

const bridges = [
  "bun run src/cli.ts bridge-github --file fixtures/github-pr-merged.json",
  "bun run src/cli.ts bridge-discord --file fixtures/discord-mention.json"
]

test("the commands of the first description run as they stand there, from source, with bun on PATH", () =>
  inSourceTree(async (run) => {
    const shell = async (block: string): Promise<Record<string, unknown>> => {
      const { code, stderr, stdout } = await run(block)
      expect({ block, code, stderr }).toEqual({ block, code: 0, stderr: "" })
      return stdout === "" ? {} : JSON.parse(stdout)
    }
    await shell(install)
    expect(await shell(story)).toMatchObject({ queued: true, profile: "lumen" })
    expect(await shell(checkIn)).toMatchObject({ queued: true, profile: "lumen" })
    expect(await shell("bun run src/cli.ts run-once")).toMatchObject({ ok: true, status: "completed" })
    for (const bridge of bridges)
      expect(await shell(bridge)).toMatchObject({ queued: true, profile: "lumen" })
    expect(await shell("bun run src/cli.ts run-once")).toMatchObject({ ok: true, status: "completed" })
    expect(await shell("bun run src/cli.ts status")).toMatchObject({
      runtime_name: "agent-runtime",
      counts: { completed: 2, queued: 2 },
      recent: [
        { kind: "discord-reply", status: "pending" },
        { kind: "github-story", status: "completed" },
        { kind: "aibtc-checkin", status: "pending" },
        { kind: "github-story", status: "completed" }
      ]
    })
    expect(await shell("bun run src/cli.ts healthcheck")).toMatchObject({ ok: true, config_issues: [] })
    expect(await shell(schedule)).toMatchObject({ upserted: true, schedule: { name: "aibtc-checkin" } })
    expect(await shell("bun run src/cli.ts schedule-tick")).toMatchObject({ tasks_created: 1 })
  }))

test("so does its sensor event, in a state of its own, and a repeat of it is none", () =>
  inSourceTree(async (run) => {
    expect(await run(install)).toMatchObject({ code: 0 })
    const told = async () => JSON.parse((await run(sensorEvent)).stdout)
    const first = await told()
    expect(first).toMatchObject({ accepted: true, task_id: null, workflow_id: 1, event: { stale: false } })
    expect(await told()).toEqual({ ...first, accepted: false })
    expect(JSON.parse((await run("bun run src/cli.ts status")).stdout)).toMatchObject({
      counts: { queued: 1 },
      recent: [{ kind: "goal-plan" }]
    })
  }))
