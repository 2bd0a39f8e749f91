import type { Freshness } from '../entry/freshness.ts'
import { ageAt, judge, ttlAt } from '../entry/freshness.ts'
import type { RequestCounters } from '../counters/counters.ts'
import type { NearEntry } from '../tiers/near-entry.ts'
import { lookupFar, lookupNear } from './lookup.ts'
import { handOut } from './near.ts'
import type { EntrySettings } from './call-options.ts'
import type { Parts, Target } from './parts.ts'

/** An entry as its reader sees it. Durations are in whole ms; `Infinity` for an entry without an end. */
export interface CacheEntry<T> {
  readonly value: T
  readonly freshness: Exclude<Freshness, 'expired'>
  /** Since it was stored. */
  readonly age: number
  /** How long it will still be fresh; 0 when it is stale. */
  readonly ttl: number
  readonly tags: readonly string[]
  readonly tier: 'l1' | 'l2'
}

/** The story of a read that loads nothing: L1, then L2. */
export async function readEntry<T>(
  parts: Parts,
  target: Target,
  settings: EntrySettings,
  requests: RequestCounters,
): Promise<CacheEntry<T> | undefined> {
  const found = lookupNear(parts, target, settings, requests)
  const near = found instanceof Promise ? await found : found
  const nearest = near && seen<T>(parts, near.entry, near.entry.shared, 'l1')
  // Fills are not told to the other processes: where L1 is stale, L2 may be fresh again.
  if (!parts.shared || settings.tiers === 'l1' || nearest?.freshness === 'fresh') return nearest
  const flight = parts.flights.open(target.id, parts.marks.count)
  try {
    const { entry, shared } = await lookupFar(parts, target, flight, settings, requests)
    return entry ? seen<T>(parts, entry, shared, 'l2') : nearest
  } catch {
    // Counted and told by the client: a cache that fails is a miss.
    return nearest
  } finally {
    parts.flights.close(flight)
  }
}

function seen<T>(
  { clock }: Parts,
  entry: Pick<NearEntry, 'value' | 'createdAt' | 'freshUntil' | 'staleUntil' | 'tags'>,
  shared: boolean,
  tier: 'l1' | 'l2',
): CacheEntry<T> | undefined {
  const now = clock.now()
  const freshness = judge(entry, now)
  if (freshness === 'expired') return undefined
  const ttl = ttlAt(entry.freshUntil, now)
  const age = ageAt(entry.createdAt, now)
  return { value: handOut(entry.value, shared) as T, freshness, age, ttl, tags: entry.tags, tier }
}
