import type { Bar, Condition } from './bar.ts'
import type { NodeBinary } from './node-binary.ts'
import type { Summary } from './statistics.ts'

/** One row of the table: what is measured, against what, and what it must reach. */
export interface Scenario {
  readonly name: string
  /** The work that is measured, in words. */
  readonly work: string
  /** What the same work is measured against, in turn, in the same run. */
  readonly reference: string
  /** What the outcome shows, whichever way it falls. */
  readonly expects: string
  /** `undefined` for figures that are reported only. */
  readonly bar: Bar | undefined
  /** Node's major versions that it runs on, the main one first. */
  readonly nodes: readonly number[]
  run(node: NodeBinary, tell: (line: string) => void): Promise<Measured>
  /** Measures the work of this checkout against the same work of another one, whose folder is named. */
  readonly compare?: (folder: string, node: NodeBinary, tell: (line: string) => void) => Promise<Measured>
}

/** What one run of a scenario found. */
export interface Measured {
  /** The unit of the figures of a round. */
  readonly unit: string
  readonly rounds: readonly Round[]
  /** Work to reference, for bars. */
  readonly ratio?: Summary
  /** The ratios of further variants, measured in the same rounds. */
  readonly also?: Readonly<Record<string, Summary>>
  /** What must hold beside the ratio, by name. */
  readonly conditions?: Readonly<Record<string, Condition>>
  /** Versions of what was used, beside Node and the packages. */
  readonly versions?: Readonly<Record<string, string>>
  /** Figures of variants for a table of their own: variant to name to figure. */
  readonly reported?: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** What else a reader must know of this run. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** The figures of one round, by variant; and where it is measured, CPU time per operation (user and system, in µs). */
export interface Round {
  readonly pair: number
  readonly figures: Readonly<Record<string, number>>
  readonly cpuUs?: Readonly<Record<string, number>>
}
