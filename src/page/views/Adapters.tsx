import { clearCooldown } from "../Moves.ts"
import { Mark } from "../parts/Mark.tsx"
import { Loaded } from "../parts/Said.tsx"
import { ViewHead } from "../parts/Section.tsx"
import type { Touches } from "../Records.ts"
import { useRecord } from "../UseRecord.ts"
import type { Adapter, DayUse } from "../Wire.ts"
import { counted, duration, plural, type Tone, usd } from "../Words.ts"
import { useNow, useTitle, useWorld } from "../World.ts"
import { today, useUsage } from "./Usage.tsx"

const touches: Touches = ({ event_type }) =>
  event_type.startsWith("adapter_") ||
  event_type === "task_started" ||
  event_type === "task_attempt_finished" ||
  event_type === "rate_limit_rescheduled"

const healthOf = (adapter: Adapter): readonly [Tone, string] => {
  if (adapter.cooldown !== null) return ["blocked", "cools down"]
  if (adapter.ok === false) return ["failed", "not ready"]
  if (adapter.ok === undefined) return ["waiting", "not asked"]
  return (adapter.warnings ?? []).length > 0 ? ["blocked", "ready, with warnings"] : ["completed", "ready"]
}

const Cooldown = ({ adapter }: { readonly adapter: Adapter }) => {
  const world = useWorld()
  const now = useNow()
  if (adapter.cooldown === null) return null
  return (
    <p class="line tone-blocked">
      cools down for {duration(Math.max(0, Date.parse(adapter.cooldown.until) - now))}
      {adapter.cooldown.reason === null ? "" : `: ${adapter.cooldown.reason}`}{" "}
      <button type="button" onClick={() => void clearCooldown(world, adapter.id)}>
        End cool-down
      </button>
    </p>
  )
}

const Today = ({ use }: { readonly use: DayUse | undefined }) =>
  use === undefined ? (
    <span class="muted">no attempt today</span>
  ) : (
    <span class="num">
      {plural(use.attempts, "attempt")} today · {counted((use.input_tokens ?? 0) + (use.output_tokens ?? 0))}{" "}
      tokens
      {use.cost_usd === null ? "" : ` · ${usd(use.cost_usd)}`}
    </span>
  )

const Row = ({
  adapter,
  use,
  isKnown
}: {
  readonly adapter: Adapter
  readonly use: DayUse | undefined
  readonly isKnown: boolean
}) => {
  const [tone, word] = healthOf(adapter)
  return (
    <li class="adapter">
      <div class="workflow-head">
        <Mark tone={tone} word={word} />
        <strong>{adapter.id}</strong>
        <span class="muted">
          {[
            adapter.driver ?? adapter.mode,
            adapter.model,
            adapter.default ? "default" : null,
            adapter.autonomy,
            adapter.fallback === null ? null : `falls back to ${adapter.fallback}`
          ]
            .filter((word) => word !== null)
            .join(" · ")}
        </span>
        <span class="when num">
          {adapter.running} running
          {adapter.concurrency === null ? "" : ` of ${adapter.concurrency}`}
        </span>
      </div>
      {adapter.ok === false ? (
        <p class="line">
          <strong>{adapter.reason}</strong> {adapter.remedy}
        </p>
      ) : null}
      {(adapter.warnings ?? []).map((warning) => (
        <p class="line" key={warning}>
          {warning}
        </p>
      ))}
      <Cooldown adapter={adapter} />
      {isKnown ? (
        <p class="line">
          <Today use={use} />
        </p>
      ) : null}
    </li>
  )
}

/** The configured adapters: whether they can work, and what they did today. */
export const Adapters = () => {
  useTitle("Adapters")
  const now = useNow()
  const found = useRecord<{ readonly adapters: ReadonlyArray<Adapter> }>("/api/adapters", touches)
  const usage = useUsage()
  const day = today(now)
  return (
    <>
      <ViewHead
        name="Adapters"
        lead="Each is asked whether it can work: command, settings, endpoint, model."
      />
      <Loaded of={found}>
        {({ adapters }) => (
          <ul class="workflows">
            {adapters.map((adapter) => (
              <Row
                key={adapter.id}
                adapter={adapter}
                isKnown={usage.data !== undefined}
                use={usage.data?.usage.find((one) => one.adapter_id === adapter.id && one.day === day)}
              />
            ))}
          </ul>
        )}
      </Loaded>
    </>
  )
}
