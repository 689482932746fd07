import { type Clock, DateTime, type Effect, Option, ParseResult, Schema } from "effect"

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/

const parse = (text: string): Option.Option<DateTime.Utc> => {
  if (!ISO.test(text)) return Option.none()
  const day = Number(text.slice(8, 10))
  return DateTime.make(text).pipe(
    Option.map(DateTime.toUtc),
    // Date rolls 31 February over into March: the day that was written must be a day of that month.
    Option.filter(
      () => day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()
    ),
    Option.filter((time) => /^\d{4}-/.test(DateTime.formatIso(time)))
  )
}

/**
 * A point in time: ISO 8601 with seconds and an offset or `Z` on the way in, always UTC with milliseconds
 * on the way out (`2026-04-29T07:01:02.003Z`), so that the text sorts as the time does.
 */
export const Time = Schema.transformOrFail(Schema.String, Schema.DateTimeUtcFromSelf, {
  strict: true,
  decode: (text, _, ast) =>
    Option.match(parse(text), {
      onNone: () => ParseResult.fail(new ParseResult.Type(ast, text)),
      onSome: ParseResult.succeed
    }),
  encode: (time) => ParseResult.succeed(DateTime.formatIso(time))
}).annotations({
  identifier: "Time",
  description: "an ISO 8601 time such as 2026-04-29T07:01:02.003Z",
  jsonSchema: { type: "string", format: "date-time" }
})

/** The present moment by the Clock service. */
export const now: Effect.Effect<DateTime.Utc> = DateTime.now

/**
 * Milliseconds by the clock that cannot be set, for spans of time: whoever sets the host's clock neither lengthens nor
 * shortens them. Only differences of them mean something, and only within one process.
 */
export const steadyMillis = (clock: Clock.Clock): number =>
  Number(clock.unsafeCurrentTimeNanos() / 1_000n) / 1_000
