import { Effect, Layer, Option, PubSub, Stream } from "effect"
import { Audit, type AuditFile, type LogFile, MAX_STREAM_BYTES } from "../../src/artifact/AuditFolder.ts"
import type { AttemptId, TaskId } from "../../src/domain/Ids.ts"
import { auditSegments } from "./AuditPath.ts"
import { makeTail } from "./Tail.ts"

/** `held` with `part` behind it: in place while its buffer has room, so that many parts do not copy the whole each. */
const longer = (held: Uint8Array<ArrayBuffer>, part: Uint8Array): Uint8Array<ArrayBuffer> => {
  const length = held.length + part.length
  const hasRoom = held.buffer.byteLength >= length
  const buffer = hasRoom ? held.buffer : new ArrayBuffer(2 * length)
  const all = new Uint8Array(buffer, 0, length)
  if (!hasRoom) all.set(held)
  all.set(part, held.length)
  return all
}

const make = (written: PubSub.PubSub<void>): typeof Audit.Service => {
  const files = new Map<string, Uint8Array>()
  const get = (path: string) => files.get(path) ?? new Uint8Array(0)
  const pathOf = (taskId: TaskId, attemptId: AttemptId, file: AuditFile) =>
    `${auditSegments(taskId, attemptId).join("/")}/${file}`
  const log = (path: string): LogFile => {
    const tail = makeTail()
    let cut = false
    let held = Uint8Array.from(get(path))
    files.set(path, held)
    return {
      write: (chunk) => {
        tail.push(chunk)
        const part = chunk.subarray(0, MAX_STREAM_BYTES - held.length)
        cut = cut || part.length < chunk.length
        held = longer(held, part)
        files.set(path, held)
        written.unsafeOffer(undefined)
      },
      size: () => held.length,
      tail: tail.text,
      truncated: () => cut,
      problem: () => Option.none()
    }
  }
  return {
    open: (taskId, attemptId) => {
      const relativePath = auditSegments(taskId, attemptId).join("/")
      const put = (file: string, text: string) =>
        Effect.sync(() => void files.set(`${relativePath}/${file}`, Buffer.from(text)))
      const putAll = (texts: Readonly<Record<string, string>>) =>
        Effect.forEach(Object.entries(texts), ([file, text]) => put(file, text), { discard: true })
      return Effect.succeed({
        path: `/memory/${relativePath}`,
        relativePath,
        put,
        putAll,
        begin: (texts) => Effect.as(putAll(texts), Effect.void),
        log: (file) => Effect.sync(() => log(`${relativePath}/${file}`))
      })
    },
    read: (taskId, attemptId, file, { offset, most }) =>
      Effect.sync(() => get(pathOf(taskId, attemptId, file)).slice(offset, offset + most)),
    size: (taskId, attemptId, file) =>
      Effect.sync(() =>
        Option.map(Option.fromNullable(files.get(pathOf(taskId, attemptId, file))), (bytes) => bytes.length)
      ),
    growth: () =>
      Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(written), (grown) =>
          Stream.concat(Stream.succeed<void>(undefined), Stream.fromQueue(grown))
        )
      )
  }
}

/** Audit folders in memory, for tests of what writes and reads them. Their `path` exists nowhere. */
export const layer: Layer.Layer<Audit> = Layer.effect(Audit, Effect.map(PubSub.sliding<void>(1), make))
