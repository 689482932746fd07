// Rows beyond what is seen, so that a quick scroll shows no gap.
const OVER = 12

/** The part of a long list that is drawn: from, to, and the room before and behind it. */
export const windowOf = (
  scrolled: number,
  seen: number,
  height: number,
  count: number
): { readonly from: number; readonly to: number; readonly before: number; readonly behind: number } => {
  const from = Math.max(0, Math.min(count, Math.floor(scrolled / height) - OVER))
  const to = Math.min(count, Math.ceil((scrolled + seen) / height) + OVER)
  return { from, to, before: from * height, behind: (count - to) * height }
}
