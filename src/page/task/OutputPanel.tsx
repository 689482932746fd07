import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks"
import { useOutput } from "../Output.ts"
import { goneWords } from "../OutputText.ts"
import { partsOf } from "../parts/Parts.ts"
import { Pre } from "../parts/Pre.tsx"
import { Nothing, Wrong } from "../parts/Said.tsx"
import { Section } from "../parts/Section.tsx"
import type { Attempt } from "../Wire.ts"
import { counted } from "../Words.ts"
import { Steps } from "./Steps.tsx"
import { neverBegan } from "./Story.ts"

/** So near to its end an output is followed. */
const NEAR_PX = 40

const Text = ({
  text,
  wanted,
  current,
  follow,
  setFollow,
  label
}: {
  readonly text: string
  readonly wanted: string
  readonly current: number
  readonly follow: boolean
  readonly setFollow: (follow: boolean) => void
  readonly label: string
}) => {
  const box = useRef<HTMLElement>(null)
  const parts = useMemo(() => partsOf(text, wanted), [text, wanted])
  useEffect(() => {
    if (follow && wanted === "" && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [text, follow, wanted])
  // Who scrolls back reads; who comes to the end again follows again.
  useEffect(() => {
    const read = box.current
    if (read === null) return
    const scrolled = () => setFollow(read.scrollHeight - read.scrollTop - read.clientHeight < NEAR_PX)
    const turned = (event: Event) => {
      if (event instanceof WheelEvent ? event.deltaY < 0 : true) setTimeout(scrolled, 0)
    }
    const ways = ["wheel", "touchmove", "keydown", "pointerup"] as const
    for (const way of ways) read.addEventListener(way, turned, { passive: true })
    read.addEventListener("scrollend", scrolled)
    return () => {
      for (const way of ways) read.removeEventListener(way, turned)
      read.removeEventListener("scrollend", scrolled)
    }
  }, [setFollow])
  useEffect(() => {
    if (wanted !== "") box.current?.querySelectorAll("mark")[current]?.scrollIntoView({ block: "nearest" })
  }, [wanted, current])
  return (
    <Pre label={label} boxRef={box}>
      {parts.length === 1
        ? text
        : parts.map((part, at) =>
            at % 2 === 0 ? part : <mark class={(at - 1) / 2 === current ? "current" : undefined}>{part}</mark>
          )}
    </Pre>
  )
}

const Stream = ({
  attempt,
  name,
  follow,
  setFollow,
  wanted
}: {
  readonly attempt: Attempt
  readonly name: "stdout" | "stderr"
  readonly follow: boolean
  readonly setFollow: (follow: boolean) => void
  readonly wanted: string
}) => {
  const isReadBack = !follow || wanted !== ""
  const output = useOutput(
    attempt.attempt_id,
    name,
    attempt.status === "running",
    undefined,
    attempt.status === "running" && isReadBack
  )
  const [current, setCurrent] = useState(0)
  const found = useMemo(() => (partsOf(output.text, wanted).length - 1) / 2, [output.text, wanted])
  useEffect(() => setCurrent(0), [wanted])
  const isEmpty = output.known && output.text === "" && output.error === undefined
  const isFolded = attempt.adapter_mode === "agent-cli" && name === "stdout" && output.text !== ""
  const [open, setOpen] = useState(false)
  const isShown = !isFolded || open || wanted !== ""
  return (
    <div class={`stream is-${name}`}>
      <p class="stream-head muted">
        <span>
          {name}
          {!isEmpty || output.gone !== undefined
            ? ""
            : attempt.status === "running" && !output.ended
              ? ": nothing so far"
              : ": nothing was printed"}
        </span>
        {isFolded ? (
          <button type="button" class="quiet" aria-expanded={isShown} onClick={() => setOpen(!open)}>
            {isShown ? "Hide" : `Show its ${counted(output.text.trimEnd().split("\n").length)} lines`}
          </button>
        ) : null}
        {output.cut && isShown ? (
          <span>
            its end,{" "}
            <a
              href={`/api/attempts/${encodeURIComponent(attempt.attempt_id)}/${name}`}
              target="_blank"
              rel="noreferrer"
            >
              all of it<span class="hidden"> as text, in a new tab</span>
            </a>
          </span>
        ) : null}
        {wanted === "" ? null : (
          <span class="finds">
            {found === 0
              ? output.cut
                ? "not found in this end of it"
                : "not found"
              : `${current + 1} of ${counted(found)}`}
            {found < 2 ? null : (
              <button type="button" class="quiet" onClick={() => setCurrent((current + 1) % found)}>
                Next find
              </button>
            )}
          </span>
        )}
      </p>
      {output.error === undefined ? null : <Wrong message={output.error} />}
      {output.gone === undefined ? null : <Nothing>{goneWords(output.gone)}</Nothing>}
      {output.text === "" || !isShown ? null : (
        <Text
          text={output.text}
          wanted={wanted}
          current={current}
          follow={follow}
          setFollow={setFollow}
          label={name}
        />
      )}
    </div>
  )
}

/** What an attempt printed, followed live while it runs. */
export const OutputPanel = ({ attempt }: { readonly attempt: Attempt | undefined }) => {
  const id = useId()
  const [follow, setFollow] = useState(true)
  const [wanted, setWanted] = useState("")
  const isUnbegun = attempt !== undefined && neverBegan(attempt)
  return (
    <Section
      name="Output"
      count={attempt === undefined ? undefined : `attempt ${attempt.number}`}
      more={
        attempt === undefined || isUnbegun ? undefined : (
          <>
            {attempt.status === "running" ? (
              <label class="switch">
                <input
                  type="checkbox"
                  checked={follow}
                  onChange={(event) => setFollow(event.currentTarget.checked)}
                />
                Follow
              </label>
            ) : null}
            <label class="hidden" for={id}>
              Find in output
            </label>
            <input
              id={id}
              type="text"
              class="find"
              placeholder="Find in output"
              value={wanted}
              onInput={(event) => setWanted(event.currentTarget.value)}
            />
          </>
        )
      }
    >
      {attempt === undefined ? (
        <Nothing>Output stands here when an attempt has begun.</Nothing>
      ) : isUnbegun ? (
        <Nothing>Nothing was written: this attempt ended before its adapter could begin.</Nothing>
      ) : (
        <>
          <Steps key={attempt.attempt_id} attempt={attempt} />
          <div class="streams">
            <Stream
              key={`${attempt.attempt_id}-out`}
              attempt={attempt}
              name="stdout"
              follow={follow}
              setFollow={setFollow}
              wanted={wanted}
            />
            <Stream
              key={`${attempt.attempt_id}-err`}
              attempt={attempt}
              name="stderr"
              follow={follow}
              setFollow={setFollow}
              wanted={wanted}
            />
          </div>
        </>
      )}
    </Section>
  )
}
