import { offers, wordAt } from "../SkillWord.ts"
import { useRecord } from "../UseRecord.ts"

/** What a message says of skills: those that could complete the word at the caret, and those that it names. */
export const SkillLine = ({
  message,
  caret,
  named,
  choose
}: {
  readonly message: string
  readonly caret: number
  readonly named: ReadonlyArray<string>
  readonly choose: (id: string) => void
}) => {
  const found = useRecord<{ readonly skills: ReadonlyArray<{ readonly id: string }> }>(
    message.includes("/") ? "/api/skills" : undefined
  )
  const known = (found.data?.skills ?? []).map(({ id }) => id)
  const word = wordAt(message, caret)
  const offered = word === undefined ? [] : offers(known, word)
  const told = named.map((id) => (found.data === undefined || known.includes(id) ? id : `${id} (not found)`))
  return (
    <>
      {offered.length === 0 ? null : (
        <fieldset class="skills">
          <legend class="hidden">Skills</legend>
          {offered.map((id) => (
            <button type="button" key={id} class="quiet" onClick={() => choose(id)}>
              /{id}
            </button>
          ))}
        </fieldset>
      )}
      {told.length === 0 || offered.length > 0 ? null : <p class="skills muted">skills: {told.join(", ")}</p>}
    </>
  )
}
