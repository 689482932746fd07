import { closeSync, readSync } from "node:fs"
import { codeOf } from "../SystemWord.ts"
import { F_SETFL, type KernelPipes } from "./KernelPipe.ts"

// From bits/fcntl-linux.h, the same on x86-64 and arm64.
const O_NONBLOCK = 0o4000

/** A child's output on its way here. */
export interface Pipe {
  /** The child's end, to be given to it. */
  readonly end: number
  /** Hands on what has come, without waiting for more; whether that was the end of it. */
  readonly takeNow: (take: (chunk: Uint8Array) => void) => boolean
  /** What comes from here on, to its end; to be asked for once. */
  readonly stream: () => ReadableStream<Uint8Array>
  /** Once the child has its end: without it the stream would never end. */
  readonly handedOver: () => void
  /** Once the stream is not read any more. */
  readonly close: () => void
}

/** What a pipe of the kernel holds, where nobody changed that (pipe(7)). */
const PIPE_BYTES = 64 * 1024

// One for all pipes: it is read from and copied out of in one turn.
const page = Buffer.allocUnsafe(PIPE_BYTES)

/** Bytes that are there; 0 at the end, nothing where the other end is open and silent. */
const readNow = (fd: number): number | undefined => {
  try {
    return readSync(fd, page, 0, PIPE_BYTES, null)
  } catch (cause) {
    if (codeOf(cause) === "EAGAIN") return undefined
    throw cause
  }
}

/** What was in the pipe, and the look beyond it: whoever writes on has a stream's patience, not a turn of this loop. */
const MOST_READS = 3

/** Opens pipes of the kernel. */
export type Pipes = () => Pipe

/**
 * Real pipes for children. What Bun opens for `"pipe"` is a socket: a script that writes to /dev/stderr fails
 * on one, and its reader goes on gathering for as long as the child is quicker (chunks of tens of MiB were
 * seen on a loaded machine), whereas a file's reader answers at most 256 KiB at a time.
 */
export const makePipes =
  ({ control, open }: KernelPipes): Pipes =>
  () => {
    const [ours, theirs] = open()
    // Ours alone: the child's end stays blocking, as programs expect.
    control(ours, F_SETFL, O_NONBLOCK)
    return {
      end: theirs,
      takeNow: (take) => {
        for (let reads = 0; reads < MOST_READS; reads++) {
          const bytes = readNow(ours)
          if (bytes === 0) return true
          if (bytes === undefined) return false
          take(new Uint8Array(page.subarray(0, bytes)))
        }
        return false
      },
      stream: () => Bun.file(ours).stream(),
      handedOver: () => closeSync(theirs),
      close: () => closeSync(ours)
    }
  }
