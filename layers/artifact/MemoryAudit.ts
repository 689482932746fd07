import { Effect, Layer, Option } from "effect"
import { Audit, type AuditFile, type LogFile, MAX_STREAM_BYTES } from "../../src/artifact/AuditFolder.ts"
import { auditSegments } from "./AuditPath.ts"
import { makeTail } from "./Tail.ts"

/** Audit folders in memory, for tests of what writes and reads them. Their `path` exists nowhere. */
export const layer: Layer.Layer<Audit> = Layer.sync(Audit, () => {
  const files = new Map<string, Uint8Array>()
  const get = (path: string) => files.get(path) ?? new Uint8Array(0)
  const log = (path: string): LogFile => {
    const tail = makeTail()
    let cut = false
    return {
      write: (chunk) => {
        tail.push(chunk)
        const part = chunk.subarray(0, MAX_STREAM_BYTES - get(path).length)
        cut = cut || part.length < chunk.length
        files.set(path, Buffer.concat([get(path), part]))
      },
      size: () => get(path).length,
      tail: tail.text,
      truncated: () => cut,
      problem: () => Option.none()
    }
  }
  return {
    open: (taskId, attemptId) => {
      const relativePath = auditSegments(taskId, attemptId).join("/")
      return Effect.succeed({
        path: `/memory/${relativePath}`,
        relativePath,
        put: (file: AuditFile, text: string) =>
          Effect.sync(() => void files.set(`${relativePath}/${file}`, Buffer.from(text))),
        log: (file) => Effect.sync(() => log(`${relativePath}/${file}`))
      })
    },
    read: (taskId, attemptId, file, { offset, most }) =>
      Effect.sync(() =>
        get(`${auditSegments(taskId, attemptId).join("/")}/${file}`).slice(offset, offset + most)
      )
  }
})
