import { useState } from "preact/hooks"
import { offers, wordAt } from "../SkillWord.ts"
import { useRecord } from "../UseRecord.ts"
import { plural } from "../Words.ts"

/** The skills that could complete the word at the caret of a message, and which of them the keys stand on. */
export interface Offer {
  readonly known: ReadonlyArray<string> | undefined
  readonly offered: ReadonlyArray<string>
  readonly at: number
  /** Takes a key that is meant for the list; false where it is not. */
  readonly press: (key: string) => boolean
}

/** What is offered for a message: arrows move through it, Enter chooses, Escape puts it away for this word. */
export const useOffer = (message: string, caret: number, choose: (id: string) => void): Offer => {
  const found = useRecord<{ readonly skills: ReadonlyArray<{ readonly id: string }> }>(
    message.includes("/") ? "/api/skills" : undefined
  )
  const [moved, setMoved] = useState({ word: "", at: 0, away: false })
  const known = found.data?.skills.map(({ id }) => id)
  const word = wordAt(message, caret)
  const here = moved.word === word ? moved : { word: word ?? "", at: 0, away: false }
  const offered = word === undefined || here.away ? [] : offers(known ?? [], word)
  const chosen = offered[here.at]
  return {
    known,
    offered,
    at: here.at,
    press: (key) => {
      if (chosen === undefined) return false
      const step = key === "ArrowDown" ? 1 : key === "ArrowUp" ? offered.length - 1 : 0
      if (step > 0) setMoved({ ...here, at: (here.at + step) % offered.length })
      else if (key === "Escape") setMoved({ ...here, away: true })
      else if (key === "Enter") choose(chosen)
      else return false
      return true
    }
  }
}

/** The id of an option of a list of skills. */
export const optionId = (list: string, at: number): string => `${list}-${at}`

/** What a message says of skills: those that could complete the word at the caret, and those that it names. */
export const SkillLine = ({
  id,
  offer: { at, known, offered },
  named,
  choose
}: {
  readonly id: string
  readonly offer: Offer
  readonly named: ReadonlyArray<string>
  readonly choose: (id: string) => void
}) => {
  const told = named.map((one) => (known === undefined || known.includes(one) ? one : `${one} (not found)`))
  return (
    <>
      <p class="hidden" aria-live="polite">
        {offered.length === 0 ? "" : `${plural(offered.length, "skill")}: arrows choose, Enter completes.`}
      </p>
      {offered.length === 0 ? null : (
        <div class="skills" role="listbox" id={id} aria-label="Skills" tabIndex={-1}>
          {offered.map((one, n) => (
            <button
              type="button"
              role="option"
              key={one}
              id={optionId(id, n)}
              class="quiet"
              aria-selected={n === at}
              onClick={() => choose(one)}
            >
              /{one}
            </button>
          ))}
        </div>
      )}
      {told.length === 0 || offered.length > 0 ? null : <p class="skills muted">skills: {told.join(", ")}</p>}
    </>
  )
}
