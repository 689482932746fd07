import { expect } from "bun:test"
import { needs } from "../support/needs.ts"
import { Agent, resident } from "./agent.ts"

// The rest of what the units promise is in underSystemd.test.ts, which takes longer.
needs("systemd")(
  "an agent that was just made works under systemd, and stops in peace",
  () =>
    Agent.in(async (agent) => {
      await agent.ctl("enable", "--now", resident)
      expect(await agent.is(resident, "ActiveState")).toBe("active")
      await agent.ended(await agent.queue())
      await agent.ctl("stop", resident)
      expect(await agent.is(resident, "Result")).toBe("success")
    }),
  30_000
)
