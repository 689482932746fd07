import type { Automaton } from "./Automaton.ts"
import { isWord, LF, SPACE } from "./SecretBytes.ts"

/** So many bytes may stand between two characters in a line, and any in front of the first one of the next line. */
export const MOST_BETWEEN = 8

/**
 * So many bytes may stand around the end of a line between two characters: what ends the one line (a quote and a
 * comma, a column), and what begins the next one (an indent, git's `+`, a comment's sign, a time).
 */
const MOST_AROUND_END = 96

/** So many bytes decorate the end of a line at most, where it is short what was begun in it. */
const MOST_ENDING = 32

/** So many readings are followed at once; of more, those that have found least are given up. */
const MOST_STRANDS = 8

/** An encoding that tools break into lines. */
export interface Broken {
  readonly automaton: Automaton
  /** 1 for each byte that it is written in. */
  readonly letters: Uint8Array
  /** What a byte is in the automaton. */
  readonly fold: (byte: number) => number
  /** So many characters of a value in a row are no chance: they are looked on for behind words and numbers too. */
  readonly deep: number
  /** A value stretches over so many bytes at most. */
  readonly reach: number
}

/** A byte, and what it is to all readings. */
export interface Seen {
  byte: number
  /** Where it stands and, as it may be written as an escape, where it ends. */
  start: number
  end: number
  endsLine: boolean
  /** Whether it may stand between two characters of one line, as whitespace may. */
  isBetween: boolean
  /** Whether no word reaches up to it, so that characters may begin here. */
  isFirst: boolean
}

interface Strand {
  readonly phase: "reading" | "ending" | "beginning"
  readonly state: number
  /** Where the characters stand that were read; the last of them are those of the state. */
  readonly places: Array<number>
  /** Bytes since the last character. */
  readonly gap: number
  /** How many of the last characters the plain reading has read too: what they alone begin is its own matter. */
  readonly shared: number
}

const NOTHING_BEGUN: ReadonlyArray<Strand> = [{ phase: "reading", state: 0, places: [], gap: 0, shared: 0 }]

/** A part of a list of places, as a list of its own. A few numbers: a view of them, and to copy it, takes longer. */
export const listOf = (places: Int32Array, from: number, to: number): Array<number> => {
  const list: Array<number> = []
  for (let at = from; at < to; at++) list.push(places[at] ?? 0)
  return list
}

type Told = (state: number, places: Array<number>) => void

type Found = (start: number, end: number) => void

/**
 * Readings of a broken encoding beside the plain one, which takes each byte for what it is: at the beginning of a line
 * `+`, `-` and `/` may be characters or decoration, and a character may be written as `\u002B`. Each strand reads on
 * what was begun before the end of a line from another place behind it.
 */
export const strandsOf = ({ automaton, deep, fold, letters, reach }: Broken) => {
  let strands: Array<Strand> = []
  let saved: ReadonlyArray<Strand> = []
  // From where on a whole value was found by what is being read.
  let settled = Number.POSITIVE_INFINITY

  const isDeep = ({ state }: Strand) => automaton.depth(state) >= deep
  const startOf = ({ places, state }: Strand) => places[places.length - automaton.depth(state)] ?? 0
  const copied = (strand: Strand) => strand.places.slice(strand.places.length - automaton.depth(strand.state))

  const add = (strand: Strand): void => {
    const same = strands.findIndex(({ phase, state }) => phase === strand.phase && state === strand.state)
    if (same !== -1) strands.splice(same, 1)
    strands.push(strand)
    if (strands.length <= MOST_STRANDS) return
    const depths = strands.map(({ state }) => automaton.depth(state))
    strands.splice(depths.indexOf(Math.min(...depths)), 1)
  }

  /** Adds a strand that has read one character more, unless the plain reading says as much. */
  const read = (strand: Strand, state: number, plain: number, { end, start }: Seen, found: Found): void => {
    if (state === plain || automaton.depth(state) <= strand.shared) return
    strand.places.push(start)
    const next: Strand = { ...strand, state, phase: "reading", gap: 0 }
    if (start - startOf(next) > reach) return
    const characters = automaton.match(state)
    if (characters > 0) {
      const from = strand.places[strand.places.length - characters] ?? 0
      found(from, end)
      settled = Math.min(settled, from)
    }
    const begun = automaton.begun(state)
    if (begun !== 0) add({ ...next, state: begun })
  }

  const inLine = (strand: Strand, plain: number, seen: Seen, found: Found): void => {
    const { byte, isBetween } = seen
    const gap = strand.gap + 1
    if (isBetween) {
      if (gap === 1 && isDeep(strand)) add({ ...strand, places: copied(strand), phase: "ending", gap })
      if (gap <= MOST_BETWEEN) add({ ...strand, gap })
    } else if (letters[byte] === 1)
      read({ ...strand, shared: strand.shared + 1 }, automaton.next(strand.state, byte), plain, seen, found)
    else if (strand.state !== 0 && (isDeep(strand) || !isWord(byte))) add({ ...strand, phase: "ending", gap })
  }

  const advance = (strand: Strand, plain: number, seen: Seen, found: Found): void => {
    const { byte, endsLine, isBetween, isFirst } = seen
    const gap = strand.phase === "reading" ? 1 : strand.gap + 1
    if (endsLine) {
      if (gap <= MOST_AROUND_END && strand.state !== 0) add({ ...strand, phase: "beginning", gap })
      return
    }
    if (strand.phase === "reading") {
      inLine(strand, plain, seen, found)
      return
    }
    if (strand.phase === "beginning" && isFirst && letters[byte] === 1) {
      const state = automaton.next(strand.state, byte)
      // A single character begins anew: that is for the plain reading.
      if (automaton.depth(state) > 1)
        read({ ...strand, places: copied(strand), shared: strand.shared + 1 }, state, plain, seen, found)
    }
    if (gap <= MOST_AROUND_END && (isBetween || isDeep(strand) || !isWord(byte))) add({ ...strand, gap })
  }

  // Filled from behind.
  const ends = new Int32Array(deep)
  const ending = (data: Uint8Array, last: number, told: Told): void => {
    let first = deep
    for (let at = last, gap = 0; at >= 0 && first > 1 && gap <= MOST_BETWEEN; at--) {
      const byte = data[at] ?? 0
      if (letters[fold(byte)] === 1) {
        ends[--first] = at
        gap = 0
      } else if (byte === SPACE) gap++
      else break
    }
    let state = 0
    for (let at = first; at < deep; at++) state = automaton.next(state, fold(data[ends[at] ?? 0] ?? 0))
    if (state !== 0) told(state, listOf(ends, deep - automaton.depth(state), deep))
  }

  const settle = (from: number): void => {
    strands = strands.filter((strand) => strand.phase === "reading" || startOf(strand) < from)
    settled = Number.POSITIVE_INFINITY
  }

  return {
    count: () => strands.length,
    /** Whether so much was read as is no chance. */
    isDeep: (state: number): boolean => automaton.depth(state) >= deep,
    /** Begins a strand where the plain reading, in this state, has met a line's end or what stands before one. */
    leave: (phase: "ending" | "beginning", state: number, places: Array<number>): void => {
      const begun = automaton.begun(state)
      if (begun !== 0) add({ phase, state: begun, places, gap: 1, shared: 0 })
    },
    /**
     * Finds what the line before `end` may leave that has been begun by few characters: they stand before what
     * decorates its end. Tells the states and where their characters stand.
     */
    endings: (data: Uint8Array, end: number, told: Told): void => {
      let last = end - 1
      for (let byte = data[last]; byte !== undefined && !isWord(byte); byte = data[--last])
        if (byte === LF || end - last > MOST_ENDING) return
      // What follows a word at once may be decoration or more of its characters.
      let more = last + 1
      while (more < end && letters[fold(data[more] ?? 0)] === 1) more++
      ending(data, last, told)
      if (more - 1 > last) ending(data, more - 1, told)
    },
    /** Takes a byte that the plain reading has come to the state `plain` by. */
    take: (seen: Seen, plain: number, found: Found): void => {
      const before = strands
      strands = []
      for (const strand of before) advance(strand, plain, seen, found)
      if (settled !== Number.POSITIVE_INFINITY) settle(settled)
    },
    /** Gives up what waits for a next line and was begun behind this place: it is part of a value by now. */
    settle,
    /** Keeps what was read up to an escape that may stand for one character. */
    save: (state: number, places: Array<number>): void => {
      if (strands.length === 0 && state === 0) return
      const plain: Strand = { phase: "reading", state, places, gap: 0, shared: 0 }
      saved = [...strands.map((strand) => ({ ...strand, places: copied(strand) })), plain]
    },
    /** Goes on from what was kept by what the escape stands for, of which the plain reading knows nothing. */
    resume: (seen: Seen, found: Found): void => {
      for (const strand of saved.length === 0 ? NOTHING_BEGUN : saved)
        advance({ ...strand, places: [...strand.places], shared: -1 }, -1, seen, found)
      saved = []
      settle(settled)
    },
    forget: (): void => {
      saved = []
    },
    /** Moves all places to the front by so many bytes. */
    shift: (bytes: number): void => {
      if (strands.length === 0 && saved.length === 0) return
      for (const { places } of [...strands, ...saved])
        for (let at = 0; at < places.length; at++) places[at] = (places[at] ?? 0) - bytes
    },
    /** Where the first byte stands that may still become part of a value. */
    open: (): number =>
      [...strands, ...saved].reduce((least, strand) => {
        return strand.state === 0 ? least : Math.min(least, startOf(strand))
      }, Number.POSITIVE_INFINITY)
  }
}
