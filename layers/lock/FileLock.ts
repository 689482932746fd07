import { FFIType, ptr } from "bun:ffi"
import { onFirstUse } from "../../src/domain/Wire.ts"
import { cLibrary } from "../CLibrary.ts"

// Open file description locks (fcntl(2)): tied to the open file, not to the process, released by the kernel
// when the last descriptor of it is gone. Unlike flock they can be asked about without being taken.
const F_OFD_GETLK = 36
const F_OFD_SETLK = 37
const F_WRLCK = 1
const F_UNLCK = 2

// struct flock on 64-bit Linux: type and whence as 16 bits, then start, length as 64 bits, then a pid.
const FLOCK_BYTES = 32

// A process that never meets a lock does not load the library.
const libc = onFirstUse(() =>
  cLibrary({ fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 } })
)

const whole = (type: number) => {
  const request = Buffer.alloc(FLOCK_BYTES)
  request.writeInt16LE(type, 0)
  return request
}

/** Takes the lock of an open file, at once or not at all; it goes when the descriptor is closed. Throws `NotCallable`. */
export const take = (fd: number): boolean => libc().symbols.fcntl(fd, F_OFD_SETLK, ptr(whole(F_WRLCK))) === 0

/** Whether somebody else holds the lock of an open file; throws where files cannot be locked. */
export const isTaken = (fd: number): boolean => {
  const request = whole(F_WRLCK)
  if (libc().symbols.fcntl(fd, F_OFD_GETLK, ptr(request)) !== 0)
    throw new Error("the file system cannot lock files")
  return request.readInt16LE(0) !== F_UNLCK
}
