const NOTHING_ELSE = "no adapter of its chain passes its probe, and "
const REASON = "rate_limited: "

/** What is told, up to the time, of a task whose fallback cools down while nothing else of its chain passes its probe. */
export const fallbackCools = (adapterId: string): string => `${NOTHING_ELSE}${adapterId} cools down until `

/** How the last error of such a task begins. */
export const errorOfCooling = (adapterId: string): string => `${REASON}${fallbackCools(adapterId)}`

/** Whether the last error of a task says that it waits for a fallback that cools down. */
export const isOfCooling = (lastError: string): boolean => lastError.startsWith(`${REASON}${NOTHING_ELSE}`)

/** What is told first of a budget that lets nothing start, with whose account of it that is. */
export const budgetHolds = (budgetId: string, subject: string): string =>
  `budget ${budgetId}${subject === "" ? "" : ` of ${subject}`}: `

/** How the last error of a task begins that waits for such an account. */
export const errorOfBudget = (budgetId: string, subject: string): string =>
  `budget_exhausted: ${budgetHolds(budgetId, subject)}`
