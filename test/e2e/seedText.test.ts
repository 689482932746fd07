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
  }))
