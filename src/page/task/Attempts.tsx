import { Glyph } from "../parts/Mark.tsx"
import { At } from "../parts/Moments.tsx"
import { usageWords } from "../parts/Rows.tsx"
import { Nothing } from "../parts/Said.tsx"
import { Section } from "../parts/Section.tsx"
import type { Attempt, Story } from "../Wire.ts"
import { actorWords, duration, plainReason } from "../Words.ts"
import { useKnownNow } from "../World.ts"
import { barsOf, endOf, reasonBelow } from "./Story.ts"

const Bar = ({
  attempt,
  bar,
  isChosen,
  choose
}: {
  readonly attempt: Attempt
  readonly bar: { readonly length: number; readonly ms: number }
  readonly isChosen: boolean
  readonly choose: () => void
}) => {
  const [tone, word] = endOf(attempt)
  return (
    <li>
      <button type="button" class="attempt" aria-pressed={isChosen} onClick={choose}>
        <span class="number num">{attempt.number}</span>
        <span class={`mark tone-${tone}`}>
          <Glyph tone={tone} />
          {word}
        </span>
        <span class="by muted">
          {attempt.adapter_id ?? "no adapter"}
          {attempt.model === null ? "" : ` · ${attempt.model}`}
        </span>
        <span class="num took">{duration(bar.ms)}</span>
        <span class="num used muted">{usageWords(attempt.usage)}</span>
        <svg class={`bar tone-${tone}`} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
          <rect class="track" width="100" height="6" />
          <rect class="fill" width={Math.max(0.8, bar.length * 100)} height="6" />
        </svg>
      </button>
    </li>
  )
}

/** A task's attempts as bars of one scale; the chosen one fills what stands below. */
export const Attempts = ({
  story,
  chosen,
  choose,
  above
}: {
  readonly story: Story
  readonly chosen: Attempt | undefined
  readonly choose: (id: string) => void
  /** The reason that stands in the task's head. */
  readonly above: string | undefined
}) => {
  const now = useKnownNow()
  const bars = barsOf(story.attempts, now)
  return (
    <Section name="Attempts" count={story.attempts.length}>
      {story.attempts.length === 0 ? (
        <Nothing>No attempt has begun.</Nothing>
      ) : (
        <ol class="attempts">
          {story.attempts.map((attempt, at) => (
            <Bar
              key={attempt.attempt_id}
              attempt={attempt}
              bar={bars[at] ?? { length: 0, ms: 0 }}
              isChosen={attempt.attempt_id === chosen?.attempt_id}
              choose={() => choose(attempt.attempt_id)}
            />
          ))}
        </ol>
      )}
      {chosen === undefined ? null : <Verdict attempt={chosen} story={story} above={above} />}
    </Section>
  )
}

const Verdict = ({
  attempt,
  story,
  above
}: {
  readonly attempt: Attempt
  readonly story: Story
  readonly above: string | undefined
}) => {
  const isLast = attempt.attempt_id === story.attempts.at(-1)?.attempt_id
  const outcome = isLast ? story.task.outcome : null
  const claims = [
    ...(outcome?.file_changes ?? []).map((change) => ["file", change] as const),
    ...(outcome?.artifact_paths ?? []).map((path) => ["artifact", path] as const)
    // What was not confirmed is said by its issue.
  ].filter(([, claim]) => !isQuestioned(attempt, claim))
  const reason = reasonBelow(attempt, isLast ? above : undefined)
  const issues = attempt.issues.map(plainReason).filter((issue) => !(isLast && issue === above))
  return (
    <div class="verdict">
      <p class="muted">
        attempt {attempt.number} began <At at={attempt.started_at} />
        {attempt.ended_at === null ? null : (
          <>
            , ended <At at={attempt.ended_at} />
          </>
        )}
        {` by ${actorWords({ name: attempt.runner_id })}`}
      </p>
      {reason === undefined ? null : <p class="line">{reason}</p>}
      {issues.length === 0 && claims.length === 0 ? null : (
        <ul class="verification" aria-label="Verification">
          {claims.map(([what, claim]) => (
            <li key={`${what} ${claim}`} class="tone-completed">
              <Glyph tone="completed" />
              <span>
                claimed {what} <code>{claim}</code> {attempt.issues.length === 0 ? "found" : ""}
              </span>
            </li>
          ))}
          {issues.map((issue) => (
            <li key={issue} class="tone-blocked">
              <Glyph tone="blocked" />
              <span>{issue}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

const isQuestioned = (attempt: Attempt, claim: string): boolean => {
  const path = claim.replace(/^(created|modified|updated|renamed|deleted):\s*/, "").split(" - ")[0] ?? claim
  return attempt.issues.some((issue) => issue.includes(path.trim()))
}
