import { useId, useState } from "preact/hooks"
import { type Problem, problem } from "../Api.ts"
import { rowsOf, sizeWords } from "../Message.ts"
import { Act } from "../parts/Act.tsx"
import { Ago } from "../parts/Moments.tsx"
import { Size, Wrong } from "../parts/Said.tsx"
import { useDraft } from "../UseDraft.ts"
import type { Question, Task } from "../Wire.ts"
import { quoted, title } from "../Words.ts"
import { useWorld } from "../World.ts"

/** The answer to what a blocked task asks: one of its choices, or a text. */
export const Answer = ({ task, question }: { readonly task: Task; readonly question: Question }) => {
  const world = useWorld()
  const id = useId()
  const [text, setText] = useDraft(`answer ${task.task_id}`)
  const [wrong, setWrong] = useState<Problem>()
  const choices = question.choices ?? []
  const answer = async (body: { readonly choice: string } | { readonly text: string }) => {
    setWrong(undefined)
    try {
      await world.api.post(`/api/tasks/${encodeURIComponent(task.task_id)}/answer`, body)
      setText("")
      world.notice.set({ tone: "done", text: `Answered ${quoted(title(task))}. A fresh round begins.` })
    } catch (error) {
      setWrong(problem(error))
    }
  }
  return (
    <form
      class="answer"
      aria-label="Answer"
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() !== "") void answer({ text: text.trim() })
      }}
    >
      {choices.length === 0 ? null : (
        <p class="buttons">
          {choices.map((choice) => (
            <Act key={choice} onClick={() => void answer({ choice })}>
              {choice}
            </Act>
          ))}
        </p>
      )}
      <p class="field">
        <label for={id}>{choices.length === 0 ? "Answer" : "Answer in your own words"}</label>
        <textarea id={id} rows={2} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </p>
      <p class="buttons">
        <Act type="submit" disabled={text.trim() === ""}>
          Send answer
        </Act>
        {typeof question.expires_at === "string" ? (
          <span class="muted">
            {typeof question.default === "string"
              ? `without an answer it takes ${quoted(question.default)} `
              : "expires "}
            <Ago at={question.expires_at} />
          </span>
        ) : null}
      </p>
      {wrong === undefined ? null : <Wrong message={wrong.message} hint={wrong.hint} />}
    </form>
  )
}

/** A new task that belongs to this one. */
export const Reply = ({ task }: { readonly task: Task }) => {
  const world = useWorld()
  const id = useId()
  const [message, setMessage] = useDraft(`reply ${task.task_id}`)
  const body = { message, parent_id: task.task_id }
  const size = sizeWords("/api/tasks/queue", body)
  const [wrong, setWrong] = useState<Problem>()
  const send = async () => {
    if (message.trim() === "" || !size.fits) return
    setWrong(undefined)
    try {
      const { task_id } = await world.api.post<{ readonly task_id: string }>("/api/tasks/queue", body)
      setMessage("")
      world.notice.set({ tone: "done", text: "Queued the reply as a task of its own.", taskId: task_id })
    } catch (error) {
      setWrong(problem(error))
    }
  }
  return (
    <form
      class="reply"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <label for={id}>Reply</label>
      <textarea
        id={id}
        rows={rowsOf(message, 8)}
        aria-describedby={`${id}-size`}
        aria-invalid={size.fits ? undefined : "true"}
        placeholder="Queues a new task that has this one as its parent."
        value={message}
        onInput={(event) => setMessage(event.currentTarget.value)}
      />
      <Size id={`${id}-size`} size={size} />
      {wrong === undefined ? null : <Wrong message={wrong.message} hint={wrong.hint} />}
      <p class="buttons">
        <Act type="submit">Send reply</Act>
      </p>
    </form>
  )
}
