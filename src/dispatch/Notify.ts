import { Context, type Duration, type Effect, type Option } from "effect"

/** Tells the service manager how this process is; where there is none nothing happens. */
export class Notify extends Context.Tag("agent-runtime/Notify")<
  Notify,
  {
    /** Work is done from now on. */
    readonly ready: Effect.Effect<void>
    /** One line for `systemctl status`. */
    readonly status: (line: string) => Effect.Effect<void>
    /** This process is alive and well; expected once within each `watchdog`. */
    readonly alive: Effect.Effect<void>
    /** Nothing new is begun any more. */
    readonly stopping: Effect.Effect<void>
    /** How often a sign of life is expected; none when nobody waits for one. */
    readonly watchdog: Option.Option<Duration.Duration>
  }
>() {}
