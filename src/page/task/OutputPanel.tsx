import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks"
import { useOutput } from "../Output.ts"
import { partsOf } from "../parts/Parts.ts"
import { Pre } from "../parts/Pre.tsx"
import { Nothing, Wrong } from "../parts/Said.tsx"
import { Section } from "../parts/Section.tsx"
import type { Attempt } from "../Wire.ts"
import { counted } from "../Words.ts"
import { Steps } from "./Steps.tsx"

const Text = ({
  text,
  wanted,
  current,
  follow,
  label
}: {
  readonly text: string
  readonly wanted: string
  readonly current: number
  readonly follow: boolean
  readonly label: string
}) => {
  const box = useRef<HTMLElement>(null)
  const parts = useMemo(() => partsOf(text, wanted), [text, wanted])
  useEffect(() => {
    if (follow && wanted === "" && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [text, follow, wanted])
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
  wanted
}: {
  readonly attempt: Attempt
  readonly name: "stdout" | "stderr"
  readonly follow: boolean
  readonly wanted: string
}) => {
  const output = useOutput(attempt.attempt_id, name, attempt.status === "running")
  const [current, setCurrent] = useState(0)
  const found = useMemo(() => (partsOf(output.text, wanted).length - 1) / 2, [output.text, wanted])
  useEffect(() => setCurrent(0), [wanted])
  return (
    <div class={`stream is-${name}`}>
      <p class="stream-head muted">
        <span>{name}</span>
        {output.cut ? <span>its end; the beginning is in the audit folder</span> : null}
        {wanted === "" ? null : (
          <span class="finds">
            {found === 0 ? "not found" : `${current + 1} of ${counted(found)}`}
            {found < 2 ? null : (
              <button type="button" class="quiet" onClick={() => setCurrent((current + 1) % found)}>
                Next find
              </button>
            )}
          </span>
        )}
      </p>
      {output.error === undefined ? null : <Wrong message={output.error} />}
      {output.text === "" ? (
        <Nothing>
          {attempt.status === "running" && !output.ended ? "Nothing so far." : "Nothing was printed."}
        </Nothing>
      ) : (
        <Text text={output.text} wanted={wanted} current={current} follow={follow} label={name} />
      )}
    </div>
  )
}

/** What an attempt printed, followed live while it runs. */
export const OutputPanel = ({ attempt }: { readonly attempt: Attempt | undefined }) => {
  const id = useId()
  const [follow, setFollow] = useState(true)
  const [wanted, setWanted] = useState("")
  return (
    <Section
      name="Output"
      count={attempt === undefined ? undefined : `attempt ${attempt.number}`}
      more={
        attempt === undefined ? undefined : (
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
      ) : (
        <>
          <Steps key={attempt.attempt_id} attempt={attempt} />
          <div class="streams">
            <Stream
              key={`${attempt.attempt_id}-out`}
              attempt={attempt}
              name="stdout"
              follow={follow}
              wanted={wanted}
            />
            <Stream
              key={`${attempt.attempt_id}-err`}
              attempt={attempt}
              name="stderr"
              follow={follow}
              wanted={wanted}
            />
          </div>
        </>
      )}
    </Section>
  )
}
