import { useState } from "preact/hooks"
import { Glyph } from "../parts/Mark.tsx"
import { At } from "../parts/Moments.tsx"
import { useSteps } from "../UseSteps.ts"
import type { Attempt, Step } from "../Wire.ts"
import { counted, plural, type Tone } from "../Words.ts"

/** The newest steps that are shown at once. */
const SHOWN = 100

const endOf = ({ ok }: Step, isRunning: boolean): readonly [Tone, string] =>
  ok === null
    ? isRunning
      ? ["running", "runs"]
      : ["waiting", "no end was told"]
    : ok
      ? ["completed", "worked"]
      : ["failed", "failed"]

/** What the agent of an attempt did, step by step; nothing where its adapter tells no steps. */
export const Steps = ({ attempt }: { readonly attempt: Attempt }) => {
  const [more, setMore] = useState(1)
  const isRunning = attempt.status === "running"
  const steps = useSteps(attempt)
  if (steps.length === 0) return null
  const shown = steps.slice(-SHOWN * more)
  const failed = steps.filter(({ ok }) => ok === false).length
  return (
    <section class="steps" aria-label="Agent steps">
      <p class="stream-head muted">
        <span>
          {plural(steps.length, "step")} of the agent{failed === 0 ? "" : `, ${counted(failed)} failed`}
        </span>
        {shown.length === steps.length ? null : (
          <button type="button" class="quiet" onClick={() => setMore(more + 1)}>
            {counted(Math.min(SHOWN, steps.length - shown.length))} earlier
          </button>
        )}
      </p>
      <ol start={steps.length - shown.length + 1}>
        {shown.map((step, at) => {
          const [tone, word] = endOf(step, isRunning)
          return (
            <li key={steps.length - shown.length + at}>
              <At at={step.at} />
              <span class={`mark tone-${tone}`}>
                <Glyph tone={tone} />
                <span class={tone === "completed" ? "hidden" : ""}>{word}</span>
              </span>
              <span class="tool">{step.tool}</span>
              <code>{step.target}</code>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
