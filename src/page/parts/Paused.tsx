import type { ComponentChildren } from "preact"
import { useRef, useState } from "preact/hooks"
import type { Touches } from "../Records.ts"
import { useIsCut } from "../UseIsCut.ts"
import { useRecord } from "../UseRecord.ts"
import type { RunEvent, State } from "../Wire.ts"
import { actorWords } from "../Words.ts"
import { Glyph } from "./Mark.tsx"
import { Ago } from "./Moments.tsx"

/**
 * That dispatch is paused: why, by whom, since when. Of a long reason the beginning, so that who and when stand
 * beside it and the view below it; all of it is there for who wants it.
 */
export const Paused = ({ paused }: { readonly paused: State["dispatch_paused"] }) => (
  <div class="band paused tone-paused">
    <Glyph tone="paused" />
    <div class="said">
      {paused.reason === null ? (
        <>
          <strong>Paused</strong> <Since paused={paused} />
        </>
      ) : (
        <Reason key={paused.reason} reason={paused.reason}>
          <Since paused={paused} />
        </Reason>
      )}{" "}
      <span class="means">Running attempts finish, nothing new is started.</span>
    </div>
  </div>
)

const Reason = ({ reason, children }: { readonly reason: string; readonly children: ComponentChildren }) => {
  const box = useRef<HTMLElement>(null)
  const [isWhole, setWhole] = useState(false)
  const isCut = useIsCut(box, reason)
  return (
    <>
      <section
        ref={box}
        class={isWhole ? "reason is-whole" : "reason"}
        // The whole of one may be higher than its box: it is scrolled by keys too.
        tabIndex={isWhole ? 0 : undefined}
        aria-label="Why it is paused"
      >
        <strong>Paused</strong>: {reason}
      </section>{" "}
      {children}
      {isCut || isWhole ? (
        <button type="button" class="quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show less" : "Show all"}
          <span class="hidden"> of the reason</span>
        </button>
      ) : null}
    </>
  )
}

const Since = ({ paused: { updated_at } }: { readonly paused: State["dispatch_paused"] }) => (
  <span>
    {/* What is read as one sentence; for the eyes there is room between. */}
    <span class="hidden">· </span>
    <By />
    {updated_at === null ? null : <Ago at={updated_at} />}
  </span>
)

const touchesPause: Touches = ({ event_type }) => event_type.startsWith("dispatch_pause")

/** Who paused, by name and by the way that it came. */
const By = () => {
  const by = useRecord<{ readonly actor?: RunEvent["actor"] | undefined }>("/api/pause", touchesPause).data
    ?.actor
  return <>{by === undefined ? null : `by ${actorWords(by)} (${by.surface}) · `}</>
}
