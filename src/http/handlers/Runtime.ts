import { HttpApiBuilder } from "@effect/platform"
import { Option } from "effect"
import { events } from "../../operate/History.ts"
import { pause, resume, shown } from "../../operate/Pause.ts"
import { current, heartbeat } from "../../operate/State.ts"
import { answer, responding } from "../Answer.ts"
import { Api } from "../Api.ts"
import { taking } from "../Body.ts"
import { eventStream } from "../EventStream.ts"
import { PauseBody } from "../groups/Runtime.ts"

/** Events of the history where the caller does not say how many. */
const EVENTS = 1_000

export const runtime = HttpApiBuilder.group(Api, "runtime", (handlers) =>
  handlers
    .handle("state", () => answer(current, {}))
    .handle("heartbeat", () => answer(heartbeat, {}))
    .handle("events", ({ urlParams: { limit = EVENTS, since } }) =>
      answer(events, { since: Option.fromNullable(since), limit })
    )
    .handleRaw("stream", ({ urlParams: { since } }) => responding(eventStream(Option.fromNullable(since))))
    .handle("pauseState", () => answer(shown, {}))
    .handleRaw("pause", () =>
      taking(PauseBody, ({ paused, reason }) =>
        paused ? answer(pause, { reason: Option.fromNullable(reason) }) : answer(resume, {})
      )
    )
)
