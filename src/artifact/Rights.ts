import { Context, type Effect, type Option } from "effect"

/** What this user may write on this host's disks. Asking changes nothing there. */
export class Rights extends Context.Tag("agent-runtime/Rights")<
  Rights,
  {
    /**
     * What keeps a folder (to make files in) or a file (to write to) from being used, in a few words that name
     * the place; none when it can be. What does not exist yet is judged by the first folder above it that does.
     */
    readonly problem: (path: string, kind: "folder" | "file") => Effect.Effect<Option.Option<string>>
  }
>() {}
