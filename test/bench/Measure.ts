/** Milliseconds that a program takes. */
export const elapsed = async (program: () => unknown): Promise<number> => {
  const began = performance.now()
  await program()
  return performance.now() - began
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** Code that has run some two thousand times is compiled as far as it gets; a process that stays has run it more often. */
const WARM_ROUNDS = 10

export interface Match {
  /** How often a round of `program` does its work: rates are per second. Absent: milliseconds are shown. */
  readonly perRound?: number
  readonly rounds: number
  /** Not measured; runs before each round. */
  readonly before?: () => unknown
  readonly program: () => unknown
  readonly floorBefore?: () => unknown
  readonly floor: () => unknown
}

export interface Contest extends Match {
  readonly name: string
}

/** Medians in milliseconds of a round, or rates per second; a ratio above 1 is better than the floor. */
export interface Figures {
  readonly ours: number
  readonly floor: number
  readonly ratio: number
  readonly unit: "/s" | "ms"
}

/** One line of a part's table: a median for us, one for the floor, and their ratio (above 1 is better than the floor). */
export interface Line {
  readonly name: string
  readonly ours: string
  readonly floor: string
  readonly ratio: string
}

/** Measures ours and the floor in turns, so that the noise of the machine meets both, after rounds for warmth. */
export const figures = async (of: Match): Promise<Figures> => {
  const ours: Array<number> = []
  const floor: Array<number> = []
  for (let round = 0; round < WARM_ROUNDS + of.rounds; round++) {
    await of.before?.()
    const our = await elapsed(of.program)
    await of.floorBefore?.()
    const low = await elapsed(of.floor)
    if (round < WARM_ROUNDS) continue
    ours.push(our)
    floor.push(low)
  }
  const [our, low] = [median(ours), median(floor)]
  const { perRound } = of
  return perRound === undefined
    ? { ours: our, floor: low, ratio: low / our, unit: "ms" }
    : { ours: (perRound * 1_000) / our, floor: (perRound * 1_000) / low, ratio: low / our, unit: "/s" }
}

/** Figures as a line of a part's table. */
export const line = (name: string, { floor, ours, ratio, unit }: Figures): Line => {
  const shown = (value: number) =>
    unit === "ms" ? `${value.toFixed(3)} ms` : `${Math.round(value).toLocaleString("en")} /s`
  return { name, ours: shown(ours), floor: shown(floor), ratio: ratio.toFixed(2) }
}

/** `figures` as a line of a part's table. */
export const contest = async (of: Contest): Promise<Line> => line(of.name, await figures(of))

export const print = (title: string, lines: ReadonlyArray<Line>): void => {
  const all = [{ name: title, ours: "ours", floor: "floor", ratio: "ratio" }, ...lines]
  const width = (key: keyof Line) => Math.max(...all.map((line) => line[key].length))
  const [name, ours, floor, ratio] = [width("name"), width("ours"), width("floor"), width("ratio")]
  for (const line of all)
    console.log(
      [
        line.name.padEnd(name),
        line.ours.padStart(ours),
        line.floor.padStart(floor),
        line.ratio.padStart(ratio)
      ].join("  ")
    )
  console.log("")
}
