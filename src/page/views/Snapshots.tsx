import { Act } from "../parts/Act.tsx"
import { At } from "../parts/Moments.tsx"
import { Pre } from "../parts/Pre.tsx"
import { Loaded, Nothing } from "../parts/Said.tsx"
import { Section, ViewHead } from "../parts/Section.tsx"
import { type Report, reportSentences } from "../Report.ts"
import { viewHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useRecord } from "../UseRecord.ts"
import { moment } from "../Words.ts"
import { useTitle, useWorld } from "../World.ts"

interface Snapshot {
  readonly name: string
  readonly path: string
  readonly captured_at: string | null
  readonly label: string | null
}

const ReportText = ({ of }: { readonly of: string }) => {
  const found = useRecord<{ readonly report: Report | null } | Report>(of)
  return (
    <Loaded of={found}>
      {(answer) => {
        const report = "report" in answer ? answer.report : answer
        return report === null ? (
          <Nothing>A report compares two snapshots. Take another one.</Nothing>
        ) : (
          <>
            <ul class="sentences">
              {reportSentences(report).map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
            <details class="given">
              <summary>The report as JSON</summary>
              <Pre label="Report">{JSON.stringify(report, null, 2)}</Pre>
            </details>
          </>
        )
      }}
    </Loaded>
  )
}

const Choice = ({
  name,
  snapshots,
  value,
  set
}: {
  readonly name: string
  readonly snapshots: ReadonlyArray<Snapshot>
  readonly value: string
  readonly set: (name: string) => void
}) => {
  const { now, utc: isUtc } = useWorld()
  const utc = useCell(isUtc)
  return (
    <label class="field">
      {name}
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>
        {snapshots.map((one) => (
          <option key={one.name} value={one.name}>
            {`${one.label ?? "no label"} · ${one.captured_at === null ? one.name : moment(one.captured_at, now.get(), utc)}`}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Captured states, and what became of things between two of them. */
export const Snapshots = () => {
  const world = useWorld()
  const { query } = useCell(world.route)
  const found = useRecord<{ readonly snapshots: ReadonlyArray<Snapshot> }>("/api/snapshots")
  useTitle("Snapshots")
  const take = () =>
    world.ask.set({
      verb: "Take snapshot",
      heading: "Take a snapshot now?",
      body: ["It keeps what the runtime is doing, so that a report can say later what changed."],
      danger: false,
      reason: "Label (letters, digits, dots and hyphens)",
      run: async (label) => {
        await world.api.post("/api/snapshots", label === "" ? {} : { label })
        world.records.again("/api/snapshots")
        world.notice.set({ tone: "done", text: "Took a snapshot." })
      }
    })
  const snapshots = [...(found.data?.snapshots ?? [])].sort((a, b) => (a.name < b.name ? 1 : -1))
  const after = query.report ?? snapshots[0]?.name ?? ""
  const before = query.before ?? snapshots[1]?.name ?? ""
  const set = (changed: Readonly<Record<string, string>>) =>
    world.go(viewHref("snapshots", { before, report: after, ...changed }))
  return (
    <>
      <ViewHead name="Snapshots" lead="What was, kept. A report says what changed from one to the other.">
        <Act onClick={take}>Take snapshot</Act>
      </ViewHead>
      <Loaded of={found}>
        {() =>
          snapshots.length === 0 ? (
            <Nothing>There is no snapshot yet.</Nothing>
          ) : (
            <>
              <Section name="Report">
                {snapshots.length < 2 ? (
                  <Nothing>A report compares two snapshots. Take another one.</Nothing>
                ) : (
                  <>
                    <form
                      class="filters"
                      aria-label="Snapshots to compare"
                      onSubmit={(event) => event.preventDefault()}
                    >
                      <Choice
                        name="Before"
                        snapshots={snapshots}
                        value={before}
                        set={(before) => set({ before })}
                      />
                      <Choice
                        name="After"
                        snapshots={snapshots}
                        value={after}
                        set={(report) => set({ report })}
                      />
                    </form>
                    <ReportText
                      of={`/api/report?before=${encodeURIComponent(before)}&after=${encodeURIComponent(after)}`}
                    />
                  </>
                )}
              </Section>
              <Section name="All snapshots" count={snapshots.length}>
                <ul class="files">
                  {snapshots.map((one) => (
                    <li key={one.name}>
                      <a href={`/api/snapshot?path=${encodeURIComponent(one.name)}`}>
                        {one.label ?? one.name}
                      </a>
                      <span class="muted">{one.captured_at === null ? "" : <At at={one.captured_at} />}</span>
                    </li>
                  ))}
                </ul>
              </Section>
            </>
          )
        }
      </Loaded>
    </>
  )
}
