/** The middle of some figures and the range of their middle half: what is said of rounds on a shared machine. */
export interface Summary {
  readonly median: number
  readonly lowerQuartile: number
  readonly upperQuartile: number
  readonly rounds: number
}

export function summarize(figures: readonly number[]): Summary {
  return {
    median: quantile(figures, 0.5),
    lowerQuartile: quantile(figures, 0.25),
    upperQuartile: quantile(figures, 0.75),
    rounds: figures.length,
  }
}

/** The figure below which a share of all figures lies, interpolated between its two neighbours. */
export function quantile(figures: readonly number[], share: number): number {
  if (figures.length === 0) throw new Error('there are no figures')
  const sorted = figures.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const low = sorted[Math.floor(place)] as number
  const high = sorted[Math.ceil(place)] as number
  return low + (high - low) * (place - Math.floor(place))
}
