import { Context, type Effect } from "effect"

/** Where paths lead. */
export class RealPath extends Context.Tag("agent-runtime/RealPath")<
  RealPath,
  {
    /**
     * An absolute path with every symlink on it resolved, as far as it exists; what does not exist stays as it
     * stands. Never fails: a path that cannot be looked at leads to itself.
     */
    readonly of: (path: string) => Effect.Effect<string>
  }
>() {}
