/** A member of an Accept-* field: what is asked for, in lower case, and how much (0: not at all). */
export interface Weighted {
  readonly name: string
  readonly weight: number
}

/**
 * Reads an Accept-* field with its weights (RFC 9110, section 12.4.2), in its own order. A member whose weight is none
 * is not wanted. Parameters other than the weight are left out of the name.
 */
export function weightedList(text: string): readonly Weighted[] {
  const members: Weighted[] = []
  for (const member of text.split(',')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase())
    if (name !== '') members.push({ name, weight: weightOf(parameters) })
  }
  return members
}

const WEIGHT = /^q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter))
  if (weight === undefined) return 1
  return Number(WEIGHT.exec(weight)?.[1] ?? 0)
}
