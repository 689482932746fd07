import { useId, useState } from "preact/hooks"
import { healthOf, healthWords, needyFirst } from "../AdapterHealth.ts"
import { byDuration, byEnd, byTokens, hourly, topOfTime } from "../Figures.ts"
import { clearCooldown } from "../Moves.ts"
import { Act } from "../parts/Act.tsx"
import { Chart } from "../parts/Chart.tsx"
import { Mark } from "../parts/Mark.tsx"
import { Loaded } from "../parts/Said.tsx"
import { ViewHead } from "../parts/Section.tsx"
import { Spark } from "../parts/Spark.tsx"
import type { Touches } from "../Records.ts"
import { useRecord } from "../UseRecord.ts"
import type { Adapter, AttemptDay, AttemptSums, AttemptUsage } from "../Wire.ts"
import { brief, counted, duration } from "../Words.ts"
import { useNow, useTitle, useWorld } from "../World.ts"
import { hourLabel, useAttempts } from "./Usage.tsx"

const touches: Touches = ({ event_type }) =>
  event_type.startsWith("adapter_") ||
  event_type === "task_started" ||
  event_type === "task_attempt_finished" ||
  event_type === "rate_limit_rescheduled"

const Cooldown = ({ adapter }: { readonly adapter: Adapter }) => {
  const world = useWorld()
  const now = useNow()
  if (adapter.cooldown === null) return null
  return (
    <p class="line tone-blocked">
      cools down for {duration(Math.max(0, Date.parse(adapter.cooldown.until) - now))}
      {adapter.cooldown.reason === null ? "" : `: ${adapter.cooldown.reason}`}{" "}
      <Act onClick={() => void clearCooldown(world, adapter.id)}>End cool-down</Act>
    </p>
  )
}

/** The parts of `byEnd`. */
const ENDS = ["done", "not done", "running"]

/** What an adapter did in the last 24 hours, as figures that are compared down the list. */
const Day = ({ day, since }: { readonly day: AttemptUsage["adapters"][number]; readonly since: string }) => {
  const ended = day.attempts - day.running
  const tokens = day.input_tokens + day.output_tokens
  return (
    <>
      <dl class="sums">
        <Figure name="attempts in 24 h" value={`${day.partial ? "over " : ""}${counted(day.attempts)}`} />
        <Figure
          name="done"
          value={ended === 0 ? "none ended" : `${counted(day.ok)} (${Math.floor((100 * day.ok) / ended)} %)`}
        />
        <Figure name="median" value={day.median_ms === null ? "unknown" : duration(day.median_ms)} />
        <Figure name="95th percentile" value={day.p95_ms === null ? "unknown" : duration(day.p95_ms)} />
        <Figure name="tokens" value={tokens === 0 ? "not told" : counted(tokens)} />
      </dl>
      <Spark
        label={`Attempts, by ${ENDS.join(" and ")}, of ${day.adapter_id}`}
        columns={hourly(since, day.hours, hourLabel, byEnd)}
      />
    </>
  )
}

/** The same hour by hour, where somebody wants to look into it. */
const Hours = ({ day, since }: { readonly day: AttemptDay; readonly since: string }) => {
  const columns = (parts: (sums: AttemptSums) => ReadonlyArray<number>) =>
    hourly(since, day.hours, hourLabel, parts)
  return (
    <div class="charts small">
      <Chart name="Attempts" columns={columns(byEnd)} parts={ENDS} words={(value) => counted(value)} />
      <Chart
        name="Duration"
        columns={columns(byDuration)}
        parts={["median", "up to the 95th percentile"]}
        words={(value) => (value === 0 ? "0" : duration(value))}
        topOf={topOfTime}
      />
      {day.input_tokens + day.output_tokens === 0 ? null : (
        <Chart
          name="Tokens"
          columns={columns(byTokens)}
          parts={["in", "out"]}
          words={(value) => counted(value)}
          scale={brief}
        />
      )}
    </div>
  )
}

const Figure = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd class="num">{value}</dd>
  </div>
)

const Row = ({ adapter, usage }: { readonly adapter: Adapter; readonly usage: AttemptUsage | undefined }) => {
  const [tone, word] = healthOf(adapter)
  const [isOpen, setOpen] = useState(false)
  const id = useId()
  const day = usage?.adapters.find(({ adapter_id }) => adapter_id === adapter.id)
  const worked = day !== undefined && day.attempts > 0
  return (
    <li class="adapter">
      <Mark tone={tone} word={word} />
      <div class="who">
        <strong id={id}>{adapter.id}</strong>{" "}
        <span class="muted">
          {[
            adapter.driver ?? adapter.mode,
            adapter.model,
            adapter.default ? "default" : null,
            adapter.autonomy,
            adapter.fallback === null ? null : `falls back to ${adapter.fallback}`,
            adapter.running === 0 && adapter.concurrency === null
              ? null
              : `${adapter.running} running${adapter.concurrency === null ? "" : ` of ${adapter.concurrency}`}`
          ]
            .filter((word) => word !== null)
            .join(" · ")}
        </span>
        {worked ? (
          <button
            type="button"
            class="quiet"
            aria-expanded={isOpen}
            aria-describedby={id}
            onClick={() => setOpen(!isOpen)}
          >
            Hour by hour
          </button>
        ) : null}
      </div>
      {usage === undefined || day === undefined ? null : worked ? (
        <Day day={day} since={usage.since} />
      ) : (
        <p class="idle muted">no attempt in the last 24 hours</p>
      )}
      <div class="below">
        {adapter.ok === false ? (
          <p class="line">
            <strong>{adapter.reason}</strong> {adapter.remedy}
          </p>
        ) : null}
        {[...(adapter.problems ?? []).slice(1), ...(adapter.warnings ?? [])].map((told) => (
          <p class="line" key={told}>
            {told}
          </p>
        ))}
        <Cooldown adapter={adapter} />
        {usage !== undefined && worked && isOpen ? <Hours day={day} since={usage.since} /> : null}
      </div>
    </li>
  )
}

/** The configured adapters: whether they can work, and what they did today. */
export const Adapters = () => {
  useTitle("Adapters")
  const found = useRecord<{ readonly adapters: ReadonlyArray<Adapter> }>("/api/adapters", touches)
  const usage = useAttempts()
  return (
    <>
      <ViewHead
        name="Adapters"
        lead={found.data === undefined ? undefined : healthWords(found.data.adapters)}
      />
      <Loaded of={found}>
        {({ adapters }) => (
          <ul class="workflows adapters">
            {[...adapters].sort(needyFirst).map((adapter) => (
              <Row key={adapter.id} adapter={adapter} usage={usage.data} />
            ))}
          </ul>
        )}
      </Loaded>
    </>
  )
}
