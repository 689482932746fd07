import { expect, setDefaultTimeout, test } from "bun:test"
import { cp, mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

setDefaultTimeout(60_000)

const root = join(import.meta.dir, "../..")
const PARTS = ["src", "layers", "config", "fixtures", "deploy", "package.json", "tsconfig.json"]

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

test("the commands of the first description run as they stand there, from source, with bun on PATH", async () => {
  const tree = await mkdtemp(join(tmpdir(), "agent-runtime-seed-"))
  const shell = async (block: string): Promise<Record<string, unknown>> => {
    const child = Bun.spawn(["bash", "-c", block], {
      cwd: tree,
      env: { PATH: `${join(root, "node_modules", ".bin")}:/usr/bin:/bin`, HOME: tree },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe"
    })
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited
    ])
    expect({ block, code: child.exitCode, stderr }).toEqual({ block, code: 0, stderr: "" })
    return stdout === "" ? {} : JSON.parse(stdout)
  }
  try {
    for (const part of PARTS) await cp(join(root, part), join(tree, part), { recursive: true })
    await symlink(join(root, "node_modules"), join(tree, "node_modules"))
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
  } finally {
    await rm(tree, { recursive: true, force: true })
  }
})
