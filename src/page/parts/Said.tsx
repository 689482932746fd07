import type { ComponentChildren } from "preact"
import { useState } from "preact/hooks"
import type { Known } from "../Records.ts"
import { beginning, counted } from "../Words.ts"

/** What stands where nothing is: what is so, and what to do. */
export const Nothing = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="nothing">{children}</p>
)

/** What went wrong with an answer, and what to do. */
export const Wrong = ({
  message,
  hint
}: {
  readonly message: string
  readonly hint?: string | undefined
}) => (
  <p class="wrong">
    <strong>{message}</strong>
    {hint === undefined ? null : <span> {hint}</span>}
  </p>
)

/** So much of a text is read at a glance: some five lines. */
const GLANCE = 400

/** A text of somebody else: of a long one its beginning, until all of it is wanted. */
export const Long = ({ text }: { readonly text: string }) => {
  const [isWhole, setWhole] = useState(false)
  // A few words more are no reason to fold it.
  if (text.length < GLANCE * 1.25) return <>{text}</>
  return (
    <>
      {isWhole ? text : beginning(text, GLANCE)}{" "}
      <button type="button" class="quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
        {isWhole ? "Show its beginning" : `Show all ${counted(text.length)} characters`}
      </button>
    </>
  )
}

/** What is to be said of the size of a text before it is sent; it is told once, when it begins to matter. */
export const Size = ({
  id,
  size
}: {
  readonly id: string
  readonly size: { readonly words: string; readonly fits: boolean }
}) => (
  <p id={id} class={size.fits ? "size muted" : "size wrong"} role="alert">
    {size.words}
  </p>
)

/** Draws what is known, as old as it is where the server is gone, which is said on top of the page; or what is there instead: it is being loaded, or could not be. */
export const Loaded = <A,>({
  of,
  children
}: {
  readonly of: Known<A>
  readonly children: (data: A) => ComponentChildren
}) => (
  <>
    {of.error === undefined || (of.error.status === 0 && of.data !== undefined) ? null : (
      <Wrong
        message={
          of.error.status === 401
            ? "Sign in to see this."
            : `${of.data === undefined ? "This could not be loaded" : "This could not be refreshed"}: ${of.error.message}`
        }
        hint={of.error.hint}
      />
    )}
    {of.data !== undefined ? (
      children(of.data)
    ) : of.error === undefined ? (
      <p class="loading">Loading…</p>
    ) : null}
  </>
)

/** A name and its value, where it has one. */
export const Fact = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) =>
  children === null || children === undefined || children === "" ? null : (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
