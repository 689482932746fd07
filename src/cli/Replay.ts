import { ask } from "./Ask.ts"
import { command } from "./Command.ts"

export const taskReplay = command({
  name: "task-replay",
  group: "Steer",
  summary: "run an attempt's recorded bundle again, as a new task",
  description:
    "The new task runs the same input byte for byte: same prompt, adapter, model and profile as recorded. With --adapter the same prompt runs on another one; task-show tells both side by side. A replay makes no follow-up tasks and sends no messages: its first run did. Files that the prompt only names are used as they are now; what changed since is in the event bundle_compiled.",
  example: "agent-runtime task-replay 0196a1b2-0000-7000-8000-000000000001 --adapter local",
  arguments: [
    {
      name: "attempt_id",
      required: true,
      live: "attempts",
      description: "The attempt's id; its bundle's, or its task's (its last attempt), will do."
    }
  ],
  options: [
    {
      name: "adapter",
      kind: "text",
      value: "ID",
      live: "adapters",
      description: "Run it on this adapter instead."
    }
  ],
  run: (input) => ask(async () => (await import("../operate/Replay.ts")).replay, input)
})
