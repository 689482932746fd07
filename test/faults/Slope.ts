/** A figure at a moment, in seconds. */
export interface Sample {
  readonly second: number
  readonly value: number
}

export interface Slope {
  readonly first: number
  readonly last: number
  readonly most: number
  /** By least squares over all samples. */
  readonly perMinute: number
  /** What the slope comes to over the time of the samples. */
  readonly growth: number
  readonly isFlat: boolean
}

const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

/**
 * The line through samples, and whether it is flat: over their time it rises by no more than `allowed`. Falling is
 * flat. Peaks that come and go bend it little; what grows for ever does not pass by being noisy.
 */
export const slopeOf = (samples: ReadonlyArray<Sample>, allowed: number): Slope => {
  const at = mean(samples.map(({ second }) => second))
  const middle = mean(samples.map(({ value }) => value))
  const spread = samples.reduce((sum, { second }) => sum + (second - at) ** 2, 0)
  const rise = samples.reduce((sum, { second, value }) => sum + (second - at) * (value - middle), 0)
  const perSecond = spread === 0 ? 0 : rise / spread
  const [first, last] = [samples[0], samples.at(-1)]
  const growth = perSecond * ((last?.second ?? 0) - (first?.second ?? 0))
  return {
    first: first?.value ?? 0,
    last: last?.value ?? 0,
    most: Math.max(0, ...samples.map(({ value }) => value)),
    perMinute: perSecond * 60,
    growth,
    isFlat: samples.length >= 2 && growth <= allowed
  }
}
