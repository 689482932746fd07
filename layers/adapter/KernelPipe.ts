import { FFIType, ptr } from "bun:ffi"
import { closeSync, writeSync } from "node:fs"
import { onFirstUse } from "../../src/domain/Wire.ts"
import { cLibrary } from "../CLibrary.ts"

// From bits/fcntl-linux.h, the same on x86-64 and arm64.
const O_CLOEXEC = 0o2000000
/** The command that sets what is wanted of a descriptor. */
export const F_SETFL = 4

// From linux/memfd.h.
const MFD_CLOEXEC = 1
/** What a file in memory is called below /proc; it is a mark for people. */
const NAME = Buffer.from("agent-runtime-stdin\0", "latin1")

/** What the C library does with pipes and files in memory, and Bun does not. */
export interface KernelPipes {
  /** A new pipe that no child inherits, its end to read from first. Throws `EMFILE` where there is no descriptor left. */
  readonly open: () => readonly [read: number, write: number]
  /**
   * A new file in memory with these bytes, to be read from its beginning, that no child inherits. Bun makes one of the
   * bytes that it is given for a child, and closes it when its garbage is collected: a hundred were seen open. Throws
   * `EMFILE` where there is no descriptor left, and the system's error where there is no memory.
   */
  readonly inMemory: (bytes: Uint8Array) => number
  /** fcntl(2), by the numbers of its manual page. */
  readonly control: (fd: number, command: number, value: number) => void
}

/** Loads the C library when the first of them is asked for; what it cannot load makes that throw `NotCallable`. */
export const kernelPipes = (): KernelPipes => {
  const libc = onFirstUse(() =>
    cLibrary({
      pipe2: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
      memfd_create: { args: [FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
      fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 }
    })
  )
  return {
    open: () => {
      const ends = new Int32Array(2)
      // With these arguments it fails for want of descriptors alone: of this process, or (ENFILE) of the host.
      if (libc().symbols.pipe2(ptr(ends), O_CLOEXEC) !== 0)
        throw Object.assign(new Error("no pipe could be opened"), { code: "EMFILE" })
      const [read = -1, write = -1] = ends
      return [read, write]
    },
    inMemory: (bytes) => {
      const fd = libc().symbols.memfd_create(ptr(NAME), MFD_CLOEXEC)
      if (fd < 0) throw Object.assign(new Error("no file in memory could be made"), { code: "EMFILE" })
      try {
        // By place: the child reads from where its file stands.
        for (let done = 0; done < bytes.length; )
          done += writeSync(fd, bytes, done, bytes.length - done, done)
        return fd
      } catch (cause) {
        closeSync(fd)
        // There is no disk below it: whatever the word for it, it is for want of memory, and passes.
        throw Object.assign(new Error(`no memory for ${bytes.length} bytes: ${String(cause)}`), {
          code: "ENOMEM"
        })
      }
    },
    control: (fd, command, value) => {
      libc().symbols.fcntl(fd, command, value)
    }
  }
}
