import type { Isolation } from '../entry/isolation.ts'
import type { LoadRequest } from './loader.ts'
import { lookupNear } from './lookup.ts'
import { handOut } from './near.ts'
import type { Loaded, Parts } from './parts.ts'
import { readThrough } from './read-through.ts'
import { renewBehind } from './stale-while-revalidate.ts'

/** What a load hands to one caller. */
export interface HandedOut {
  readonly loaded: Pick<Loaded, 'value' | 'tier' | 'freshness' | 'createdAt' | 'freshUntil'>
  /** Whether the caller waited for a load that another one had started. */
  readonly joined: boolean
}

/** The story of `getOrSet`: L1, then all that a miss takes. A stale value is renewed behind its reader. */
export async function getOrLoad(parts: Parts, request: LoadRequest): Promise<HandedOut> {
  const { target, settings, requests } = request
  const near = lookupNear(parts, target, requests)
  if (near) {
    if (near.freshness === 'stale') renewBehind(parts, request)
    const { value, shared, createdAt, freshUntil } = near.entry
    const kept = handOutAs(value, shared, settings.isolation)
    return { loaded: { value: kept, tier: 'l1', freshness: near.freshness, createdAt, freshUntil }, joined: false }
  }
  const { loaded, joined } = await readThrough(parts, request)
  if (loaded.freshness === 'stale' && loaded.failure === undefined) renewBehind(parts, request)
  if (loaded.shared) return { loaded, joined }
  return { loaded: { ...loaded, value: handOut(loaded.value, false) }, joined }
}

/** A caller that asks for another isolation than the value was kept with gets a copy where sharing would break it. */
function handOutAs(value: unknown, shared: boolean, isolation: Isolation): unknown {
  if (isolation === 'copy' || (isolation === 'frozen' && !shared)) return handOut(value, false)
  return isolation === 'reference' ? value : handOut(value, shared)
}
