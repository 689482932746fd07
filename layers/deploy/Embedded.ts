import dispatchUnit from "../../deploy/systemd/agent-runtime-dispatch@.service" with { type: "text" }
import dispatchTimer from "../../deploy/systemd/agent-runtime-dispatch@.timer" with { type: "text" }
import operatorUnit from "../../deploy/systemd/agent-runtime-operator@.service" with { type: "text" }
import runOnceUnit from "../../deploy/systemd/agent-runtime-run-once@.service" with { type: "text" }
import systemDispatchUnit from "../../deploy/systemd/system/agent-runtime-dispatch@.service" with {
  type: "text"
}
import systemDispatchTimer from "../../deploy/systemd/system/agent-runtime-dispatch@.timer" with {
  type: "text"
}
import systemOperatorUnit from "../../deploy/systemd/system/agent-runtime-operator@.service" with {
  type: "text"
}
import systemRunOnceUnit from "../../deploy/systemd/system/agent-runtime-run-once@.service" with {
  type: "text"
}
import backlog from "../../deploy/templates/agent-package/backlog.json"
import deployPage from "../../deploy/templates/agent-package/DEPLOY.md" with { type: "text" }
import identity from "../../deploy/templates/agent-package/IDENTITY.md" with { type: "text" }
import purpose from "../../deploy/templates/agent-package/PURPOSE.md" with { type: "text" }
import profile from "../../deploy/templates/agent-package/profile.json"
import hostExample from "../../deploy/templates/agent-package/runtime.agent.host.example.json"
import runtime from "../../deploy/templates/agent-package/runtime.agent.json"
import heartbeat from "../../fixtures/heartbeat-schedule.json"
import type { Template } from "../../src/artifact/HostFiles.ts"
import { exampleFiles, jsonText } from "../config/ExampleFiles.ts"

/** The systemd units, for each scope. */
export const units: Readonly<Record<"user" | "system", ReadonlyArray<Template>>> = {
  user: [
    { name: "agent-runtime-operator@.service", text: operatorUnit },
    { name: "agent-runtime-dispatch@.service", text: dispatchUnit },
    { name: "agent-runtime-dispatch@.timer", text: dispatchTimer },
    { name: "agent-runtime-run-once@.service", text: runOnceUnit }
  ],
  system: [
    { name: "agent-runtime-operator@.service", text: systemOperatorUnit },
    { name: "agent-runtime-dispatch@.service", text: systemDispatchUnit },
    { name: "agent-runtime-dispatch@.timer", text: systemDispatchTimer },
    { name: "agent-runtime-run-once@.service", text: systemRunOnceUnit }
  ]
}

/** What a new agent begins with; `{{agent}}`, in names too, stands for its name. */
export const agentPackage: ReadonlyArray<Template> = [
  { name: "runtime.{{agent}}.json", text: jsonText(runtime) },
  { name: "runtime.{{agent}}.host.example.json", text: jsonText(hostExample) },
  { name: "profile.json", text: jsonText(profile) },
  { name: "IDENTITY.md", text: identity },
  { name: "PURPOSE.md", text: purpose },
  { name: "DEPLOY.md", text: deployPage },
  { name: "backlog.json", text: jsonText(backlog) },
  { name: "heartbeat.json", text: jsonText(heartbeat) }
]

/** The example configuration with all that it names. */
export const example: ReadonlyArray<Template> = Object.entries(exampleFiles).map(([name, text]) => ({
  name,
  text
}))
