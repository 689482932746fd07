import type { ComponentChildren } from "preact"
import { useId } from "preact/hooks"

interface Input {
  readonly type?: "text" | "number"
  readonly class?: string
  readonly maxLength?: number
  readonly min?: number
  readonly max?: number
  readonly step?: number
  readonly placeholder?: string
  readonly autocomplete?: string
  readonly autocapitalize?: string
  readonly spellcheck?: boolean
}

/** A field of a form: its label, its text, and what is wrong with it where something is. */
export const Field = ({
  label,
  value,
  set,
  wrong,
  children,
  type = "text",
  ...given
}: Input & {
  readonly label: string
  readonly value: string
  readonly set: (text: string) => void
  readonly wrong?: string | undefined
  /** What stands below the text, which it describes. */
  readonly children?: ComponentChildren
}) => {
  const id = useId()
  // Of one kind or the other: Preact has a type for each, and none for both.
  const attributes: object = { type, ...given }
  const said = wrong === undefined && children === undefined ? undefined : `${id}-said`
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...attributes}
        id={id}
        value={value}
        aria-invalid={wrong === undefined ? undefined : "true"}
        aria-describedby={said}
        onInput={(event) => set(event.currentTarget.value)}
      />
      {said === undefined ? null : (
        <div id={said}>
          {children}
          {wrong === undefined ? null : (
            <p class="wrong" role="alert">
              {wrong}
            </p>
          )}
        </div>
      )}
    </div>
  )
}
