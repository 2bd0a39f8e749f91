import { weightedList } from './weighted-list.ts'
import type { Weighted } from './weighted-list.ts'

/**
 * The coding that a request wants most (RFC 9110, section 12.5.3): of those on offer the one with the greatest weight,
 * of equals the first; `identity` if it takes none of them, or wants none at least as much. A request that does not say
 * anything gets `identity`: it may be a program that never heard of codings.
 */
export function bestCoding(accepted: string | undefined, offered: readonly string[]): string {
  if (accepted === undefined) return 'identity'
  const members = weightedList(accepted)
  let best = 'identity'
  let greatest = explicitWeight(members, 'identity') ?? 0
  for (const coding of offered) {
    const weight = explicitWeight(members, coding) ?? explicitWeight(members, '*') ?? 0
    if (weight > greatest || (weight === greatest && weight > 0 && best === 'identity')) {
      best = coding
      greatest = weight
    }
  }
  return best
}

/** `x-gzip` is another name of `gzip` (RFC 9110, section 8.4.1.3). */
function explicitWeight(members: readonly Weighted[], coding: string): number | undefined {
  return members.find(({ name }) => name === coding || (coding === 'gzip' && name === 'x-gzip'))?.weight
}

/**
 * The language that a request wants most of those on offer (RFC 9110, section 12.5.4; RFC 4647, sections 3.3.1 and 3.4):
 * its ranges by weight, each matched as a whole, then as the beginning of a longer tag, then cut down from its end.
 * The first on offer if none matches.
 */
export function bestLanguage(accepted: string | undefined, offered: readonly string[]): string {
  const [fallback = ''] = offered
  if (accepted === undefined) return fallback
  const members = weightedList(accepted)
  const refused = new Set(members.filter(({ weight }) => weight === 0).map(({ name }) => name))
  const open = offered.filter((tag) => !refused.has(tag.toLowerCase()))
  // Sorting is stable: of equal weights the first counts.
  for (const { name, weight } of [...members].sort((one, other) => other.weight - one.weight)) {
    const match = weight === 0 ? undefined : languageFor(name, open)
    if (match !== undefined) return match
  }
  return open[0] ?? fallback
}

function languageFor(range: string, offered: readonly string[]): string | undefined {
  if (range === '*') return offered[0]
  for (let rest = range; rest !== ''; rest = shortened(rest)) {
    const match =
      offered.find((tag) => tag.toLowerCase() === rest) ??
      offered.find((tag) => tag.toLowerCase().startsWith(`${rest}-`))
    if (match !== undefined) return match
  }
  return undefined
}

/** A range less its last subtag, and less a single letter that only leads to one. */
function shortened(range: string): string {
  const cut = range.slice(0, Math.max(0, range.lastIndexOf('-')))
  return /-.$/.test(cut) ? cut.slice(0, -2) : cut
}

const MOST_REMEMBERED = 512

/** Clients send the same few values: what is made of them is remembered, as far as it is little. */
export function remembered<T extends string>(choose: (accepted: string | undefined) => T): typeof choose {
  const known = new Map<string | undefined, T>()
  return (accepted) => {
    const before = known.get(accepted)
    if (before !== undefined) return before
    const choice = choose(accepted)
    if (known.size >= MOST_REMEMBERED) known.clear()
    known.set(accepted, choice)
    return choice
  }
}
