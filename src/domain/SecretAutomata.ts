import { type Automaton, automatonOf } from "./Automaton.ts"
import { BACKSLASH, CR, folded, isBetween, LF, N, R, same, U } from "./SecretBytes.ts"
import type { SecretForms } from "./SecretForms.ts"
import { MOST_BETWEEN } from "./SecretStrands.ts"

/** What stands around the ends of lines may make a value so much longer. */
const AROUND_ENDS = 1024
export const stretch = ({ longest }: Automaton): number =>
  longest === 0 ? 0 : longest * (MOST_BETWEEN + 1) + AROUND_ENDS

/** So deep JSON may be within JSON: each time the backslashes before a character are twice as many, and one for itself. */
const MOST_DEPTH = 4
export const deepest = (backslashes: number): number => (backslashes + 1) * 2 ** (MOST_DEPTH - 1)

const runsOf = (text: string): ReadonlyArray<number> =>
  Array.from(text.matchAll(/\\+/g), ([run]) => run.length)

/**
 * What finds all forms of all values; `folded`, `nested` and `hex` read small letters for capital ones, and `nested` a run of
 * backslashes as one.
 */
export interface Automata {
  readonly literal: Automaton
  readonly folded: Automaton
  readonly nested: Automaton
  readonly grouped: Automaton
  readonly hex: Automaton
  /**
   * By two bytes, the first one in the upper half of the index: 1 where a pattern of any begins with them.
   * Almost all of what an attempt prints is passed over by this table alone.
   */
  readonly begins: Uint8Array
  /** So many backslashes may stand where one does in `nested`. */
  readonly mostRun: number
  /** Bytes that a value takes at most, in whatever form. */
  readonly reach: number
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The automata of these values' forms. */
export const automataOf = (forms: ReadonlyArray<SecretForms>): Automata => {
  const nested = forms.flatMap((form) => form.nested)
  const of = (kind: keyof SecretForms, byte = (one: number) => one) =>
    automatonOf(forms.flatMap((form) => form[kind].map((text) => utf8(text).map(byte))))
  const automata = {
    literal: of("literal"),
    folded: of("folded", folded),
    nested: automatonOf([...new Set(nested.map(withoutDepth))].map((text) => utf8(text).map(folded))),
    grouped: of("grouped"),
    hex: of("hex", folded)
  }
  const { folded: url, grouped, hex, literal } = automata
  const reach = [
    literal.longest,
    url.longest,
    stretch(grouped),
    stretch(hex),
    ...nested.map((form) => utf8(form).length + sum(runsOf(form).map(deepest)))
  ]
  return {
    ...automata,
    begins: beginnings(automata),
    mostRun: Math.max(0, ...nested.flatMap(runsOf).map(deepest)),
    reach: Math.max(...reach)
  }
}

const withoutDepth = (form: string): string => form.replace(/\\+/g, "\\")

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

// All patterns have two bytes at least: they stand for values of 6 characters and more.
const beginnings = (automata: Omit<Automata, "begins" | "mostRun" | "reach">): Uint8Array => {
  const begins = new Uint8Array(0x10000)
  const mark = (
    automaton: Automaton,
    byte: (one: number) => number,
    isPassed: (second: number, first: number) => boolean
  ) => {
    for (let first = 0; first < 256; first++) {
      const state = automaton.next(0, byte(first))
      if (state === 0) continue
      for (let second = 0; second < 256; second++)
        if (isPassed(second, first) || automaton.depth(automaton.next(state, byte(second))) === 2)
          begins[(first << 8) | second] = 1
    }
  }
  mark(automata.literal, same, () => false)
  mark(automata.folded, folded, () => false)
  mark(automata.nested, folded, (second, first) => first === BACKSLASH && second === BACKSLASH)
  mark(automata.grouped, same, isBetween)
  mark(automata.hex, folded, isBetween)
  // At the ends of lines, and where what an escape stands for may begin one.
  for (const first of [LF, CR]) begins.fill(1, first << 8, (first + 1) << 8)
  for (const second of [U, N, R]) begins[(BACKSLASH << 8) | second] = 1
  return begins
}
