import { byDuration, byEnd, hourly, isThinned, tokensOf, toldWords, topOfTime } from "../Figures.ts"
import { AdapterDays, Measured } from "../parts/AdapterDays.tsx"
import { Budgets } from "../parts/Budgets.tsx"
import { Chart } from "../parts/Chart.tsx"
import { Loaded, Nothing, Wrong } from "../parts/Said.tsx"
import { Section, ViewHead } from "../parts/Section.tsx"
import type { Known, Touches } from "../Records.ts"
import { dayOf, daysUntil, tokenColumns } from "../UsageDays.ts"
import { useRecord } from "../UseRecord.ts"
import type { AttemptUsage, DayUse } from "../Wire.ts"
import { brief, counted, duration, usd } from "../Words.ts"
import { useNow, useTitle } from "../World.ts"

const touches: Touches = ({ event_type }) =>
  event_type === "task_attempt_finished" || event_type === "task_claimed" || event_type.startsWith("budget_")

/** Tokens and cost by adapter and day. */
export const useUsage = () => useRecord<{ readonly usage: ReadonlyArray<DayUse> }>("/api/usage", touches)

/** How the attempts of the last 24 hours went. */
export const useAttempts = () =>
  useRecord<AttemptUsage>(
    "/api/usage/attempts",
    ({ event_type }) => event_type === "task_attempt_finished" || event_type === "task_started"
  )

/** What an hour is called, where the reader is. */
export const hourLabel = (hour: number): string => `${String(new Date(hour).getHours()).padStart(2, "0")}:00`

/** As it is, without what went wrong where that stands beside it already. */
const silent = <A,>(known: Known<A>): Known<A> =>
  known.data === undefined || known.error === undefined ? known : { ...known, error: undefined }

const ByDay = ({ usage }: { readonly usage: ReadonlyArray<DayUse> }) => (
  <table class="wide">
    <caption class="hidden">Usage by day and adapter</caption>
    <thead>
      <tr>
        <th scope="col">day (UTC)</th>
        <th scope="col">adapter</th>
        <th scope="col" class="num">
          attempts
        </th>
        <th scope="col" class="num">
          tokens
        </th>
        <th scope="col" class="num">
          cost
        </th>
      </tr>
    </thead>
    <tbody>
      {[...usage]
        .sort((a, b) => (a.day < b.day ? 1 : a.day > b.day ? -1 : a.adapter_id < b.adapter_id ? -1 : 1))
        .slice(0, 60)
        .map((one) => (
          <tr key={`${one.day} ${one.adapter_id}`}>
            <td>{one.day}</td>
            <td>{one.adapter_id}</td>
            <td class="num" data-unit={one.attempts === 1 ? "attempt" : "attempts"}>
              {counted(one.attempts)}
            </td>
            <td class="num" data-unit="tokens">
              {tokensOf(one) === 0 ? "not told" : counted(tokensOf(one))}
            </td>
            <td class="num" data-unit="cost">
              {one.cost_usd === null || one.cost_usd === 0 ? "not told" : usd(one.cost_usd)}
            </td>
          </tr>
        ))}
    </tbody>
  </table>
)

/** What was used, what it cost, and how much was done. */
export const Usage = () => {
  useTitle("Usage")
  const now = useNow()
  const usage = useUsage()
  const attempts = useAttempts()
  const day = dayOf(now)
  const used = (usage.data?.usage ?? []).filter((one) => one.day === day)
  const lost = usage.data === undefined ? usage : attempts
  if (lost.error !== undefined && lost.data === undefined)
    return (
      <>
        <ViewHead name="Usage" />
        <Wrong message={`This could not be loaded: ${lost.error.message}`} hint={lost.error.hint} />
      </>
    )
  return (
    <>
      <ViewHead
        name="Usage"
        lead={usage.data === undefined ? undefined : `Today (UTC): ${toldWords(used)}.`}
      />
      <div class="charts">
        <Loaded of={attempts}>
          {({ all, since }) => (
            <>
              <Chart
                name="Throughput: attempts by hour"
                columns={hourly(since, all.hours, hourLabel, byEnd)}
                parts={["done", "not done", "running"]}
                words={(value) => counted(value)}
              />
              <Chart
                name="Duration of attempts by hour"
                columns={hourly(since, all.hours, hourLabel, byDuration)}
                parts={["median", "up to the 95th percentile"]}
                words={(value) => (value === 0 ? "0" : duration(value))}
                topOf={topOfTime}
              />
            </>
          )}
        </Loaded>
        <Loaded of={silent(usage)}>
          {(data) =>
            data.usage.some((one) => tokensOf(one) > 0) ? (
              <Chart
                name="Tokens a day"
                columns={tokenColumns(data.usage, daysUntil(data.usage, now))}
                parts={["in", "out"]}
                words={(value) => counted(value)}
                scale={brief}
              />
            ) : null
          }
        </Loaded>
      </div>
      {attempts.data?.all.partial === true ? (
        <p class="muted">Throughput and duration are of the newest 5,000 attempts of each adapter.</p>
      ) : null}
      {attempts.data !== undefined && usage.data !== undefined && isThinned(used, attempts.data.all) ? (
        <p class="muted">
          Throughput and duration are of the attempts that are still recorded: some of today were pruned.
        </p>
      ) : null}
      <Budgets />
      <Section
        name="By adapter and day"
        more={
          usage.data === undefined || usage.data.usage.length === 0 ? undefined : (
            <Measured usage={usage.data.usage} />
          )
        }
      >
        <Loaded of={silent(usage)}>
          {(data) =>
            data.usage.length === 0 ? (
              <Nothing>No attempt has told what it used.</Nothing>
            ) : (
              <>
                <AdapterDays usage={data.usage} now={now} />
                <ByDay usage={data.usage} />
              </>
            )
          }
        </Loaded>
      </Section>
    </>
  )
}
