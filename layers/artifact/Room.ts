import { Effect, Schedule } from "effect"
import { isNoRoom } from "../../src/domain/HostRoom.ts"

/** So long a lack of room is waited for: other attempts end meanwhile, and give back what they had open. */
const PATIENCE = Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(50))

/** Tries again, for five seconds at most, while what it fails with says that the host has no room just now. */
export const awaitingRoom = <A, E, R>(
  tried: Effect.Effect<A, E, R>,
  isLack: (error: E) => boolean
): Effect.Effect<A, E, R> =>
  // What succeeds at once, as nearly all does, pays for no schedule.
  Effect.catchIf(tried, isLack, () => Effect.retry(tried, { while: isLack, schedule: PATIENCE }))

/** The same for what fails with the system's word as its reason. */
export const withRoom = <A, E extends { readonly reason: string }, R>(tried: Effect.Effect<A, E, R>) =>
  awaitingRoom(tried, ({ reason }) => isNoRoom(reason))
