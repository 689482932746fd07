import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks"
import { problem } from "../Api.ts"
import { focusAt, type Spot, spotOf } from "../Return.ts"
import { useCell } from "../UseCell.ts"
import { useWorld } from "../World.ts"
import { Field } from "./Field.tsx"

/** Asks once before what cannot be taken back. Its focus goes back to where it came from. */
export const Dialog = () => {
  const world = useWorld()
  const asked = useCell(world.ask)
  const box = useRef<HTMLDialogElement>(null)
  const opener = useRef<Spot>(undefined)
  const heading = useId()
  const body = useId()
  const [reason, setReason] = useState("")
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<string>()

  // Asked for when it is not drawn yet: what is behind a dialog loses the focus.
  useEffect(
    () =>
      world.ask.watch(() => {
        if (world.ask.get() !== undefined) opener.current = spotOf(document.activeElement)
      }),
    [world]
  )
  // Before anything is painted or pressed: the focus must not jump away from where somebody put it meanwhile.
  useLayoutEffect(() => {
    const dialog = box.current
    if (asked === undefined || dialog === null) return
    setReason("")
    setWrong(undefined)
    setBusy(false)
    dialog.showModal()
    return () => {
      dialog.close()
      focusAt(opener.current)
    }
  }, [asked])

  if (asked === undefined) return null
  const back = () => world.ask.set(undefined)
  const confirm = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      await asked.run(reason.trim())
      if (world.ask.get() === asked) back()
    } catch (error) {
      setBusy(false)
      setWrong(problem(error).message)
    }
  }
  return (
    <dialog
      ref={box}
      aria-labelledby={heading}
      aria-describedby={body}
      onCancel={(event) => {
        event.preventDefault()
        back()
      }}
    >
      <form onSubmit={confirm}>
        <h2 id={heading}>{asked.heading}</h2>
        <div id={body}>
          {asked.body.map((line) => (
            <p key={line}>{line}</p>
          ))}
        </div>
        {asked.reason === undefined ? null : (
          <Field label={asked.reason} maxLength={500} value={reason} set={setReason} wrong={wrong} />
        )}
        {wrong === undefined || asked.reason !== undefined ? null : (
          <p class="wrong" role="alert">
            {wrong}
          </p>
        )}
        <p class="buttons">
          <button type="button" onClick={back}>
            Back
          </button>
          <button type="submit" class={asked.danger ? "danger" : "primary"} disabled={busy}>
            {asked.verb}
          </button>
        </p>
      </form>
    </dialog>
  )
}
