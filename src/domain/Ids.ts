import { Context, DateTime, type Effect, Option, Schema } from "effect"

// Ids are text of any shape when they are read: databases that were adopted bring their own.
const id = <const B extends string>(brand: B) =>
  Schema.String.pipe(Schema.minLength(1), Schema.maxLength(200), Schema.brand(brand))

export const TaskId = id("TaskId")
export type TaskId = typeof TaskId.Type

export const AttemptId = id("AttemptId")
export type AttemptId = typeof AttemptId.Type

export const BundleId = id("BundleId")
export type BundleId = typeof BundleId.Type

export const MessageId = id("MessageId")
export type MessageId = typeof MessageId.Type

export const QuestionId = id("QuestionId")
export type QuestionId = typeof QuestionId.Type

/** `<hostname>:<pid>:<started_at>` of one dispatcher process. */
export const RunnerId = id("RunnerId")
export type RunnerId = typeof RunnerId.Type

export const WorkflowId = Schema.Int.pipe(Schema.positive(), Schema.brand("WorkflowId"))
export type WorkflowId = typeof WorkflowId.Type

/** Increases in commit order and is never used again. */
export const EventId = Schema.Int.pipe(Schema.nonNegative(), Schema.brand("EventId"))
export type EventId = typeof EventId.Type

/** Where new ids come from: `next` is a UUIDv7, each greater than the one before it in this process. */
export class IdSource extends Context.Tag("agent-runtime/IdSource")<
  IdSource,
  { readonly next: Effect.Effect<string> }
>() {}

/**
 * A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, 12 bits of `sequence` that keep ids of one
 * millisecond in order, and random bits from `random` (10 bytes, of which 62 bits are used).
 */
export const uuidV7 = (millis: number, sequence: number, random: Uint8Array): string => {
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(millis / 2 ** (8 * (5 - i))) & 0xff
  bytes[6] = 0x70 | ((sequence >> 8) & 0x0f)
  bytes[7] = sequence & 0xff
  bytes.set(random.subarray(0, 8), 8)
  bytes[8] = 0x80 | (bytes[8]! & 0x3f)
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** The time that a UUIDv7 carries; none when the id has another shape. */
export const timeOfId = (id: string): Option.Option<DateTime.Utc> =>
  Option.map(Option.fromNullable(UUID_V7.exec(id)), ([, high, low]) =>
    DateTime.unsafeMake(Number.parseInt(`${high}${low}`, 16))
  )
