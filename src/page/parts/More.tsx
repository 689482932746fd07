import type { Pages } from "../UsePages.ts"
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
