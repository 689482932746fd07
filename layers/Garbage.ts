import { edenGC, fullGC } from "bun:jsc"

/**
 * An attempt leaves about a megabyte behind. By itself the engine lets 25 of them gather, and collects what once outlived
 * a collection when the heap has doubled: it holds 160 MiB then, where 120 do.
 */
const YOUNG_EVERY = 8
const ALL_EVERY = 128

/** What collects: what is young takes some milliseconds, everything ten times as long. */
interface Collections {
  readonly young: () => unknown
  readonly all: () => unknown
}

/** To be called once an attempt, at a moment when this process waits for another one. */
export const makeCollector = ({ all, young }: Collections = { young: edenGC, all: fullGC }): (() => void) => {
  let attempts = 0
  return () => {
    attempts++
    if (attempts % ALL_EVERY === 0) all()
    else if (attempts % YOUNG_EVERY === 0) young()
  }
}
