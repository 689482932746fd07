import { useId, useRef, useState } from "preact/hooks"
import { type Problem, problem } from "../Api.ts"
import { type Door, rowsOf, sizeWords } from "../Message.ts"
import { completed, skillsIn } from "../SkillWord.ts"
import { useDraft } from "../UseDraft.ts"
import { useRecord } from "../UseRecord.ts"
import type { Adapter } from "../Wire.ts"
import { useWorld } from "../World.ts"
import { Act, useReadOnly } from "./Act.tsx"
import { Field } from "./Field.tsx"
import { Size, Wrong } from "./Said.tsx"
import { optionId, SkillLine, useOffer } from "./Skills.tsx"

interface Fields {
  readonly subject: string
  readonly priority: string
  readonly profile: string
  readonly adapter: string
  readonly delay: string
}

const EMPTY: Fields = { subject: "", priority: "", profile: "", adapter: "", delay: "" }

const body = (message: string, { adapter, priority, profile, subject }: Fields) => ({
  message,
  ...(subject.trim() === "" ? {} : { subject: subject.trim() }),
  ...(priority === "" ? {} : { priority: Number(priority) }),
  ...(profile.trim() === "" ? {} : { requested_profile: profile.trim() }),
  ...(adapter === "" ? {} : { requested_adapter: adapter })
})

/** The same as an intent, for what is to be done later. */
const delayed = (message: string, fields: Fields) => {
  const { message: _, subject, ...rest } = { subject: undefined, ...body(message, fields) }
  return {
    kind: "operator",
    source: "operator-ui",
    subject: (subject ?? message.trim().split("\n")[0] ?? "").slice(0, 80),
    payload: { message, skill_refs: skillsIn(message), parent_id: null },
    schedule: { delay_minutes: Number(fields.delay) },
    ...rest
  }
}

const Choices = ({ fields, set }: { readonly fields: Fields; readonly set: (fields: Fields) => void }) => {
  const adapters =
    useRecord<{ readonly adapters: ReadonlyArray<Adapter> }>("/api/adapters?probe=0").data?.adapters ?? []
  const id = useId()
  const field = (name: keyof Fields, label: string, props: object) => (
    <Field label={label} value={fields[name]} set={(text) => set({ ...fields, [name]: text })} {...props} />
  )
  return (
    <div class="fields">
      {field("subject", "Subject", { type: "text", maxLength: 200, placeholder: "the first line" })}
      {field("priority", "Priority", { type: "number", min: 0, max: 100, step: 1, placeholder: "5" })}
      {field("profile", "Profile", { type: "text", maxLength: 200, placeholder: "default" })}
      <p class="field">
        <label for={`${id}-adapter`}>Adapter</label>
        <select
          id={`${id}-adapter`}
          value={fields.adapter}
          onChange={(event) => set({ ...fields, adapter: event.currentTarget.value })}
        >
          <option value="">the profile's</option>
          {adapters.map((one) => (
            <option key={one.id} value={one.id}>
              {one.id}
            </option>
          ))}
        </select>
      </p>
      {field("delay", "Delay in minutes", { type: "number", min: 0, step: 1, placeholder: "0" })}
    </div>
  )
}

/** One line that grows, and what may go with it. */
export const NewTask = () => {
  const world = useWorld()
  const id = useId()
  const box = useRef<HTMLTextAreaElement>(null)
  const [message, setMessage] = useDraft("new task")
  const [fields, setFields] = useState(EMPTY)
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<Problem>()
  const [caret, setCaret] = useState(0)
  const isReadOnly = useReadOnly()
  const complete = (skill: string) => {
    const [text, at] = completed(message, caret, skill)
    setMessage(text)
    setCaret(at)
    // The box has the text when it is drawn again.
    requestAnimationFrame(() => {
      box.current?.focus()
      box.current?.setSelectionRange(at, at)
    })
  }

  const offer = useOffer(message, caret, complete)
  const isLater = Number(fields.delay) > 0
  const door: Door = isLater ? "/api/tasks" : "/api/tasks/queue"
  const sent = isLater ? delayed(message, fields) : body(message, fields)
  const size = sizeWords(door, sent)
  const queue = async () => {
    if (busy) return
    if (message.trim() === "" || !size.fits) {
      box.current?.focus()
      return
    }
    setBusy(true)
    setWrong(undefined)
    try {
      const { task_id } = await world.api.post<{ readonly task_id: string }>(door, sent)
      world.notice.set({ tone: "done", text: "Queued.", taskId: task_id })
      setMessage("")
      setFields(EMPTY)
    } catch (error) {
      setWrong(problem(error))
    }
    setBusy(false)
    box.current?.focus()
  }
  return (
    <form
      class="new-task"
      onSubmit={(event) => {
        event.preventDefault()
        void queue()
      }}
    >
      <label for={id}>New task</label>
      <textarea
        id={id}
        ref={box}
        rows={rowsOf(message, 16)}
        aria-describedby={`${id}-size`}
        aria-invalid={size.fits ? undefined : "true"}
        placeholder={isReadOnly ? "Needs the role operate." : "What is to be done? /word names a skill."}
        disabled={isReadOnly}
        aria-keyshortcuts="n"
        aria-autocomplete="list"
        aria-controls={offer.offered.length === 0 ? undefined : `${id}-skills`}
        aria-activedescendant={offer.offered.length === 0 ? undefined : optionId(`${id}-skills`, offer.at)}
        value={message}
        onInput={(event) => {
          setMessage(event.currentTarget.value)
          setCaret(event.currentTarget.selectionStart)
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault()
            void queue()
          } else if (!event.shiftKey && !event.isComposing && offer.press(event.key)) event.preventDefault()
        }}
      />
      <SkillLine id={`${id}-skills`} offer={offer} named={skillsIn(message)} choose={complete} />
      <Size id={`${id}-size`} size={size} />
      {open ? <Choices fields={fields} set={setFields} /> : null}
      {wrong === undefined ? null : <Wrong message={`Not queued: ${wrong.message}`} hint={wrong.hint} />}
      <p class="buttons">
        <Act type="submit" class="primary">
          Queue task
        </Act>
        <Act class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          Options
        </Act>
      </p>
    </form>
  )
}
