import type { Pages } from "../UsePages.ts"
import type { Stalled } from "../UseStalled.ts"
import { counted } from "../Words.ts"
import { Wrong } from "./Said.tsx"

/** What asks for the page after, where there is one. */
export const More = <P,>({ of, next }: { readonly of: Pages<P>; readonly next: string | null }) => (
  <>
    {of.wrong === undefined ? null : <Wrong message={of.wrong} />}
    {next === null ? null : (
      <p class="buttons">
        <button type="button" onClick={() => void of.more(next)}>
          Show more
        </button>
      </p>
    )}
  </>
)

/** How many of the stalled workflows are shown where that is not all of them, and what shows more. */
export const MoreStalled = ({ of: { count, next, pages, workflows } }: { readonly of: Stalled }) =>
  next === null ? null : (
    <div class="buttons more-stalled">
      <span class="muted">
        {`Of ${counted(count)} stalled workflows the newest ${counted(workflows.length)} stand here.`}
      </span>
      <button type="button" onClick={() => void pages.more(next)}>
        Show more stalled ones
      </button>
      {pages.wrong === undefined ? null : <Wrong message={pages.wrong} />}
    </div>
  )
