import { dlopen, FFIType, ptr } from "bun:ffi"

// From bits/fcntl-linux.h, the same on x86-64 and arm64.
const O_CLOEXEC = 0o2000000
/** The command that sets what is wanted of a descriptor. */
export const F_SETFL = 4

/** What the C library does with pipes and Bun does not. */
export interface KernelPipes {
  /** A new pipe that no child inherits, its end to read from first. Throws `EMFILE` where there is no descriptor left. */
  readonly open: () => readonly [read: number, write: number]
  /** fcntl(2), by the numbers of its manual page. */
  readonly control: (fd: number, command: number, value: number) => void
}

/** Loads the C library for it. */
export const kernelPipes = (): KernelPipes => {
  const { symbols } = dlopen("libc.so.6", {
    pipe2: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
    fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 }
  })
  return {
    open: () => {
      const ends = new Int32Array(2)
      // With these arguments it fails for want of descriptors alone: of this process, or (ENFILE) of the host.
      if (symbols.pipe2(ptr(ends), O_CLOEXEC) !== 0)
        throw Object.assign(new Error("no pipe could be opened"), { code: "EMFILE" })
      const [read = -1, write = -1] = ends
      return [read, write]
    },
    control: (fd, command, value) => {
      symbols.fcntl(fd, command, value)
    }
  }
}
