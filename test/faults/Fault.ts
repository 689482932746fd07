import type { Need } from "../support/probes.ts"

/** One round of a fault: what the seed decides, and where evidence goes. */
export interface Round {
  /** From 0; which of the fault's cases this is. */
  readonly number: number
  /** Numbers from 0 to below 1, the same for the same seed, fault and round. */
  readonly random: () => number
  /** Where the folder of a broken promise is kept; nowhere when undefined. */
  readonly keepAs: string | undefined
}

/** What a round did. */
export interface Rounded {
  /** How many times the fault struck; 1 where a round is one strike. */
  readonly strikes: number
  /** Broken promises, a sentence each. */
  readonly violations: ReadonlyArray<string>
}

/** Something that goes wrong outside the runtime: a row of the table. */
export interface Fault {
  readonly name: string
  /** Without one of these it cannot be tried, which the table says. */
  readonly needs: ReadonlyArray<Need>
  /** Rounds of the whole command, shared out among its shards. */
  readonly rounds: number
  /** The rounds that `npm test` runs; they take seconds together. */
  readonly sample: ReadonlyArray<number>
  /** What it found in the product, and what became of that. */
  readonly found: string
  readonly round: (round: Round) => Promise<Rounded>
}

/** One strike with what it broke. */
export const struck = (violations: ReadonlyArray<string>): Rounded => ({ strikes: 1, violations })
