/** What the ratio of work to reference must reach: at least a number, or at most one where less is better. */
export type Bar = number | { readonly most: number }

/** Something that must hold beside the ratio. */
export interface Condition {
  readonly figure: number
  readonly most: number
}

export function reaches(ratio: number, bar: Bar): boolean {
  return typeof bar === 'number' ? ratio >= bar : ratio <= bar.most
}

export function holds({ figure, most }: Condition): boolean {
  return figure <= most
}

/** The number of a bar: the least or the most. */
export function limitOf(bar: Bar): number {
  return typeof bar === 'number' ? bar : bar.most
}

/** A bar in words, such as `2.00` or `at most 3.00`. */
export function inWords(bar: Bar): string {
  return `${typeof bar === 'number' ? '' : 'at most '}${limitOf(bar).toFixed(2)}`
}

/** A condition in words, such as `loads of a key: 1 (at most 1)`. */
export function conditionInWords(name: string, { figure, most }: Condition): string {
  return `${name}: ${Number(figure.toFixed(1))} (at most ${most})`
}
