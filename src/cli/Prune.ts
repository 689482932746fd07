import { ask } from "./Ask.ts"
import { command } from "./Command.ts"
import { ticking } from "./Progress.ts"

export const prune = command({
  name: "prune",
  group: "Store",
  summary: "remove what is older than its retention, and litter",
  description:
    "Removes tasks (completedDays), events, ended dispatchers and the fates of schedules but the last (eventDays), and evidence (artifactDays) that are older than retention in the configuration keeps them, in small batches while others work. Tasks that something still needs stay, and so does everything that agents have produced: a worktree that was kept as its attempt changed something in it stays until you remove it, with its task and evidence, and is counted (worktrees_kept). Files that no record names are swept after a day, unless they were made before the database was created or restored: another one may name them, so they stay, and are counted (litter_left).",
  example: "agent-runtime prune --dry-run",
  arguments: [],
  options: [{ name: "dry-run", kind: "flag", description: "Only count what would be removed." }],
  run: (input) =>
    ticking(
      "pruning",
      ask(async () => (await import("../operate/Prune.ts")).prune, input)
    ),
  exitCode: ({ ok }) => (ok ? 0 : 1)
})
