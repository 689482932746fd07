import { Cron, DateTime, Either, Option } from "effect"
import { type CronTiming, isEveryHour, makeSteps, offsetAt, type Steps } from "./Steps.ts"

/** When a schedule is due, again and again. */
export type Timing =
  | { readonly _tag: "Every"; readonly seconds: number }
  | ({ readonly _tag: "Cron" } & CronTiming)

/** Cron schedules that name no zone mean this one. */
export const DEFAULT_ZONE = "UTC"

/** What is wrong with a timing, as a clause, and the field that it is wrong in. */
export interface TimingFault {
  readonly field: "cron" | "timezone" | "interval_seconds"
  readonly problem: string
}

/**
 * The timing of a cron expression: five fields, or six with seconds first; names of months and days are
 * understood, day of month and day of week mean either where both are restricted (as crontab(5) has it).
 * An expression that never matches a date after `at` is wrong as well.
 */
export const cronTiming = (
  expression: string,
  timezone: string | undefined,
  at: DateTime.Utc
): Either.Either<Timing, TimingFault> => {
  const zone = zoneNamed(timezone ?? DEFAULT_ZONE)
  if (Option.isNone(zone)) return Either.left({ field: "timezone", problem: "it is not a known time zone" })
  const wrong = (problem: string): TimingFault => ({ field: "cron", problem })
  return Cron.parse(expression, zone.value).pipe(
    Either.mapLeft((error) => wrong(inWords(error))),
    Either.map((cron): Timing => ({ _tag: "Cron", cron, zone: zone.value })),
    Either.filterOrLeft(
      (timing) => Option.isSome(nextAfter(timing, at)),
      () => wrong("it never matches a date")
    )
  )
}

/** The zone of a name. `GMT`, `GMT0` and the like are names as well, which effect takes for offsets that are cut off. */
const zoneNamed = (name: string): Option.Option<DateTime.TimeZone> =>
  Option.orElse(DateTime.zoneFromString(name), () => DateTime.zoneMakeNamed(name))

/** What effect says of a field of a cron expression, and our words for it. */
const FAULTS: ReadonlyArray<readonly [said: RegExp, meant: string]> = [
  [/^Expected step value to be less than (\d+)$/, "has a step above $1"],
  [/^Expected step value to be greater than 0$/, "has a step below 1"],
  [/^Expected step value to be a positive integer$/, "has a step that is no integer"],
  [/^Expected a value between (\d+) and (\d+)$/, "has a number that is not from $1 to $2"],
  [/^Expected a positive integer$/, "has something that is no number"],
  [/^Invalid value range$/, "has a range that ends before it begins"]
]

const inWords = ({ input = "", message }: Cron.ParseError): string => {
  const fault = FAULTS.find(([said]) => said.test(message))
  // All that is left is the number of fields; then the input is the whole expression.
  if (fault === undefined) return `it has ${input.split(/\s+/).filter((field) => field !== "").length} fields`
  return `${JSON.stringify(input)} ${message.replace(fault[0], fault[1])}`
}

/** A timing of every so many seconds. */
export const everyTiming = (seconds: number): Timing => ({ _tag: "Every", seconds })

/**
 * The first due time after `at`; none when there is none (a cron of 30 February, an end of time). Of an hour
 * that a clock change skips the due times come when it is over; of an hour that comes twice those of a cron
 * that names hours come once, those of a cron of every hour twice: neither a gap nor a second daily run.
 */
export const nextAfter = (timing: Timing, at: DateTime.Utc): Option.Option<DateTime.Utc> => {
  if (timing._tag === "Every") return later(at, timing.seconds)
  const { cron, zone } = timing
  const plain = matchAfter(cron, at)
  return isEveryHour(cron) ? Option.map(plain, (time) => repeated(cron, zone, at, time)) : plain
}

/** The first due time between two times that lies in the second pass of an hour, else the later one. */
const repeated = (
  cron: Cron.Cron,
  zone: DateTime.TimeZone,
  after: DateTime.Utc,
  before: DateTime.Utc
): DateTime.Utc => {
  // By the offset that holds afterwards the second pass is an hour like any other.
  const steady = Cron.make({ ...cron, tz: DateTime.zoneMakeOffset(offsetAt(zone, before)) })
  for (
    let one = matchAfter(steady, after);
    Option.isSome(one) && DateTime.lessThan(one.value, before);
    one = matchAfter(steady, one.value)
  )
    if (Cron.match(cron, one.value)) return one.value
  return before
}

/** Two processes of a host read their clock so far apart at most that one of them acts upon what the other has set. */
export const CLOCKS_DIFFER_MS = 1_000

/** Due times that have their fate, from the first one to the last one. */
export interface Settled {
  readonly first: DateTime.Utc
  readonly last: DateTime.Utc
}

/** The first due time from `earliest` on, which is one itself, that is not settled, by spans in their order; none when there is none. */
export const unsettledFrom = (
  timing: Timing,
  settled: ReadonlyArray<Settled>,
  earliest: Option.Option<DateTime.Utc>
): Option.Option<DateTime.Utc> => {
  let next = earliest
  // An interval runs from when it was set: what it comes to once more is another time.
  if (timing._tag === "Every") return next
  for (const { first, last } of settled) {
    if (Option.isNone(next) || DateTime.lessThan(next.value, first)) break
    if (DateTime.lessThanOrEqualTo(next.value, last)) next = nextAfter(timing, last)
  }
  return next
}

/**
 * When a schedule is due by a clock that was set back after it had said `setAt`, as its next time was put to `dueAt`:
 * the next time after `at` that is not settled, for each has one fate. None where that clock was not ahead of `at`,
 * where the next time is no later one by it, and where it was set further ahead than the timing does it: somebody
 * wanted that.
 */
export const righted = (
  timing: Timing,
  { dueAt, setAt }: { readonly dueAt: DateTime.Utc; readonly setAt: DateTime.Utc },
  settled: ReadonlyArray<Settled>,
  at: DateTime.Utc
): Option.Option<DateTime.Utc> => {
  if (DateTime.distance(at, setAt) <= CLOCKS_DIFFER_MS) return Option.none()
  const isAsked = Option.exists(unsettledFrom(timing, settled, nextAfter(timing, setAt)), (last) =>
    DateTime.greaterThan(dueAt, last)
  )
  if (isAsked) return Option.none()
  return Option.filter(unsettledFrom(timing, settled, nextAfter(timing, at)), (next) =>
    DateTime.lessThan(next, dueAt)
  )
}

/** What became of a due time, and of those behind it that were missed, by one evaluation. */
export interface Due {
  /** The due time that is acted upon, and the last one that lies behind it by now; often the same. */
  readonly first: DateTime.Utc
  readonly last: DateTime.Utc
  /** The first of those that were missed; none when none was. */
  readonly missedFrom: Option.Option<DateTime.Utc>
  /** Due times after the first one that have passed as well, until `last`; they are not made up for. */
  readonly missed: number
  /** False when there were more missed ones than are counted. */
  readonly isExact: boolean
  /** None when there is no other one. */
  readonly next: Option.Option<DateTime.Utc>
}

/** Missed runs of a cron are found one by one; beyond these nobody wants to know the number. */
export const MOST_COUNTED = 10_000

/** So many of them may be slow to find: a tenth of a second, during which nothing else goes on. */
const MOST_SLOW = 400

/**
 * Evaluates a schedule at `at` (SPEC.md section 9): none when it is not due; else one run, however many times
 * were missed, and a next one that lies behind `at`: an interval after it, or the next match.
 */
export const evaluate = (timing: Timing, dueAt: DateTime.Utc, at: DateTime.Utc): Option.Option<Due> => {
  if (DateTime.greaterThan(dueAt, at)) return Option.none()
  const next = nextAfter(timing, at)
  const second = timing._tag === "Every" ? later(dueAt, timing.seconds) : nextAfter(timing, dueAt)
  const missedFrom = Option.filter(second, (time) => DateTime.lessThanOrEqualTo(time, at))
  const run = { first: dueAt, next, missedFrom }
  if (timing._tag === "Every") {
    const missed = Math.floor(DateTime.distance(dueAt, at) / (timing.seconds * 1000))
    const last = DateTime.add(dueAt, { millis: missed * timing.seconds * 1000 })
    return Option.some({ ...run, last, missed, isExact: true })
  }
  const steps = makeSteps(timing, (after) => nextAfter(timing, after))
  let last = dueAt
  let missed = 0
  for (let one = second; Option.isSome(one); one = steps.after(last)) {
    if (DateTime.greaterThan(one.value, at)) break
    if (missed === MOST_COUNTED || steps.slow() > MOST_SLOW)
      return Option.some({ ...run, last: lastUntil(timing, steps, one.value, at), missed, isExact: false })
    last = one.value
    missed++
  }
  return Option.some({ ...run, last, missed, isExact: true })
}

/** The last due time until `at`, where `known` is one: sought in ever longer stretches before `at`. */
const lastUntil = (timing: Timing, steps: Steps, known: DateTime.Utc, at: DateTime.Utc): DateTime.Utc => {
  let last = known
  for (let millis = MINUTE; ; millis *= 2) {
    const from = DateTime.subtract(at, { millis })
    if (DateTime.lessThanOrEqualTo(from, known)) break
    const found = Option.filter(nextAfter(timing, from), (one) => DateTime.lessThanOrEqualTo(one, at))
    if (Option.isNone(found)) continue
    last = found.value
    break
  }
  for (let one = steps.after(last); Option.isSome(one); one = steps.after(last)) {
    if (DateTime.greaterThan(one.value, at)) break
    last = one.value
  }
  return last
}

// Dates end in the year 275760; the wire's text ends in 9999.
const LAST = DateTime.unsafeMake("9999-12-31T23:59:59.999Z")

const later = (at: DateTime.Utc, seconds: number): Option.Option<DateTime.Utc> => {
  const millis = DateTime.toEpochMillis(at) + seconds * 1000
  return millis > DateTime.toEpochMillis(LAST) ? Option.none() : Option.some(DateTime.unsafeMake(millis))
}

const MINUTE = 60_000

/** No zone's clock is ever put back by more. */
const MOST_REPEATED = 3 * 60

// Cron.next throws where no date matches, and inside an hour that comes twice it may answer a time of the
// first pass, which lies behind: then it is asked again from the minutes that follow.
const matchAfter = (cron: Cron.Cron, at: DateTime.Utc): Option.Option<DateTime.Utc> => {
  const next = Option.liftThrowable((millis: number) => Cron.next(cron, new Date(millis)).getTime())
  const from = DateTime.toEpochMillis(at)
  let found = next(from)
  for (let minute = 1; minute <= MOST_REPEATED && Option.exists(found, (time) => time <= from); minute++)
    found = next((Math.floor(from / MINUTE) + minute) * MINUTE - 1_000)
  return found.pipe(
    Option.filter((time) => time > from && time <= DateTime.toEpochMillis(LAST)),
    Option.map((time) => DateTime.unsafeMake(time))
  )
}
