import { closeSync } from "node:fs"
import { F_SETFL, type KernelPipes } from "./KernelPipe.ts"

// From bits/fcntl-linux.h and signum-generic.h, the same on x86-64 and arm64.
const F_SETOWN = 8
const F_SETSIG = 10
const O_ASYNC = 0o20000
const SIGKILL = 9

/** Ties a process group to this process: the kernel kills it when this one is gone, whatever ended it. */
export interface Leash {
  /** Ties the group that a child leads. */
  readonly tie: (leader: number) => void
  /** Lets go of it, ending nobody. To be called once. */
  readonly loosen: () => void
}

/** Makes leashes. */
export type Leashes = () => Leash

/**
 * A leash is a pipe that nobody writes to or inherits. Its ends are closed when this process is gone, and the kernel
 * tells the owner of the one that the other was closed, by the signal that was asked for (fcntl(2), `F_SETSIG` and
 * `O_ASYNC`). Both tell, for either may be the first. Unlike PR_SET_PDEATHSIG it needs no program between this one and
 * the child, holds for a whole group, and does not depend on the thread that made it. Whoever is killed between the
 * start of a child and the tie, which are four calls of the kernel apart, leaves it to the next sweep.
 */
export const makeLeashes =
  ({ control, open }: KernelPipes): Leashes =>
  () => {
    const ends = open()
    for (const end of ends) control(end, F_SETSIG, SIGKILL)
    return {
      tie: (leader) => {
        for (const end of ends) control(end, F_SETOWN, -leader)
        for (const end of ends) control(end, F_SETFL, O_ASYNC)
      },
      loosen: () => {
        for (const end of ends) control(end, F_SETFL, 0)
        for (const end of ends) closeSync(end)
      }
    }
  }
