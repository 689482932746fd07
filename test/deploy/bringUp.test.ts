import { afterAll, expect } from "bun:test"
import { readFileSync } from "node:fs"
import { needs } from "../support/needs.ts"
import { BareDebian } from "./bareDebian.ts"
import { type Block, commandsOf, page } from "./documents.ts"

const LIMIT_MS = 15 * 60_000
const hosts: Array<BareDebian> = []

afterAll(() => {
  for (const host of hosts) host.remove()
})

/** The other way: as a service of the system, by the commands that `install-units` prints, those of systemd left out. */
const asSystem = `echo "=== system"
mkdir -p /opt/agent-runtime
cp -r ~/agent-runtime/config ~/agent-runtime/deploy ~/agent-runtime/dist /opt/agent-runtime/
agent-runtime install-units --system --agent lumen --program /opt/agent-runtime/dist/agent-runtime -o json > system.json
node -p 'JSON.parse(require("fs").readFileSync("system.json", "utf8")).next.filter((line) => !line.startsWith("systemctl")).join("\\n")' > system.sh
cat system.sh
sh -eu system.sh
systemd-analyze verify /etc/systemd/system/agent-runtime-*@.service /etc/systemd/system/agent-runtime-*@.timer
install -d -m 0700 -o agent-runtime -g agent-runtime /var/lib/agent-runtime
setpriv --reuid agent-runtime --regid agent-runtime --clear-groups env HOME=/var/lib/agent-runtime \\
  /opt/agent-runtime/dist/agent-runtime healthcheck --config /etc/agent-runtime/runtime.lumen.host.json -o table`

/** Blocks as one script, whose output tells where it is. */
const script = (title: string, blocks: ReadonlyArray<Block>) =>
  blocks.map(({ text }, at) => `echo "=== ${title} ${at + 1}"\n${text}`)

needs("debootstrap", "systemd", "git")(
  "the pages are followed word by word from a bare Debian to an agent at work, its siblings, and away again",
  async () => {
    const host = BareDebian.make()
    hosts.push(host)
    const lumen = await page("lumen/DEPLOY.md")
    const down = commandsOf(lumen, "Away again")
    const up = commandsOf(lumen).filter((block) => !down.some(({ text }) => text === block.text))
    const checklist = commandsOf(await page("BASE_AGENT_CHECKLIST.md"))
    const lines = [
      ...script("lumen", up),
      // What only time shows: the timer has run what was queued last, and a check-in.
      'echo "=== by itself"',
      `for try in $(seq 120); do
  done=$(agent-runtime task-list --status completed -o json | grep -c '"task_id"') || true
  [ "$done" -lt 3 ] || break
  sleep 1
done
agent-runtime task-list -o table
[ "$done" -ge 3 ]`,
      ...script("clone", commandsOf(await page("CLONE_CONTRACT.md"))),
      ...["spark", "forge", "cairn"].flatMap((agent) => [
        "(",
        `AGENT=${agent}`,
        ...script(agent, checklist),
        ")"
      ]),
      asSystem,
      ...script("down", down)
    ]
    const { code, err, out } = await host.run(lines.join("\n"), LIMIT_MS)
    const last = out.slice(-3000)
    expect({ code, last, err: err.slice(-3000) }).toMatchObject({ code: 0 })
    expect(out).toContain("=== down 2")
    expect(readFileSync(host.path("var/log/loginctl"), "utf8")).toBe(
      "loginctl enable-linger\nloginctl disable-linger\n"
    )
  },
  LIMIT_MS
)
