import { ask } from "./Ask.ts"
import { command } from "./Command.ts"

export const pause = command({
  name: "pause",
  group: "Steer",
  summary: "stop claiming; running attempts finish",
  description:
    "The pause is kept in the store: it holds for every process and survives restarts. Where dispatch was paused already, `before` is that pause, whose reason and time this one replaces.",
  example: "agent-runtime pause --reason 'maintenance until noon'",
  arguments: [],
  options: [{ name: "reason", kind: "text", description: "Why; it stands in the history." }],
  run: (input) => ask(async () => (await import("../operate/Pause.ts")).pause, input)
})

export const resume = command({
  name: "resume",
  group: "Steer",
  summary: "let dispatch claim again",
  example: "agent-runtime resume",
  arguments: [],
  options: [],
  run: () => ask(async () => (await import("../operate/Pause.ts")).resume, {})
})
