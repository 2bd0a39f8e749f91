import { MADE_STALE } from '../entry/freshness.ts'
import type { Verdict } from '../entry/stamp.ts'
import type { Tier } from '../tiers/tier.ts'
import { judgeTags } from './lookup.ts'
import type { Parts, Target } from './parts.ts'

/** An entry in L2 as its groups judge it, and its tags, whoever may read it. What nobody can read is void. */
export interface FarStanding {
  readonly verdict: Verdict
  readonly tags: readonly string[]
  /** Of what this process cannot read it is not known: as if it were stale. */
  readonly freshUntil: number
  /** Removes it, unless another one has taken its place. */
  remove(): Promise<void>
}

/**
 * Looks at what L2 has under a key; `undefined` for nothing. A script of L2 knows an entry's tags by name only: it takes
 * what they made void for an entry.
 */
export async function standingFar(parts: Parts, far: Tier, target: Target): Promise<FarStanding | undefined> {
  const found = await far.get(target, target.schemaVersion)
  if (found.word === 'missing') return undefined
  const remove = () => far.discard(target, found.seen)
  if (found.word === 'void') return { verdict: 'void', tags: [], freshUntil: MADE_STALE, remove }
  const { verdict } = await judgeTags(parts, target, found)
  const freshUntil = found.word === 'entry' ? found.entry.freshUntil : MADE_STALE
  return { verdict, tags: found.tags, freshUntil, remove }
}
