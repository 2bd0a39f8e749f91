import type { Isolation } from '../entry/isolation.ts'
import type { LoadRequest } from './loader.ts'
import type { NearFound } from './lookup.ts'
import { lookupNear } from './lookup.ts'
import { handOut } from './near.ts'
import type { Loaded, Parts } from './parts.ts'
import type { Answer } from './read-through.ts'
import { readThrough } from './read-through.ts'
import { newerInTime } from './soft-timeout.ts'
import { renewBehind } from './stale-while-revalidate.ts'

/** What a load hands to one caller. */
export interface HandedOut {
  readonly loaded: Pick<Loaded, 'value' | 'tier' | 'freshness' | 'createdAt' | 'freshUntil'>
  /** Whether the caller waited for a load that another one had started. */
  readonly joined: boolean
}

/**
 * The story of `getOrSet`: L1, then all that a miss takes. A stale value is renewed behind its reader, who may wait for the
 * newer one.
 */
export async function getOrLoad(parts: Parts, request: LoadRequest): Promise<HandedOut> {
  const { target, settings, requests } = request
  const near = lookupNear(parts, target, requests)
  if (near?.freshness === 'fresh') return ofNear(near, settings.isolation)
  settings.signal?.throwIfAborted()
  const answer = near ? undefined : await readThrough(parts, request)
  if (answer && (answer.loaded.freshness === 'fresh' || answer.loaded.failure !== undefined)) return ofLoad(answer)
  if (settings.softTimeoutMs > 0) return ofLoad(await newerInTime(parts, request))
  void renewBehind(parts, request)
  return answer ? ofLoad(answer) : ofNear(near as NearFound, settings.isolation)
}

function ofNear({ entry, freshness }: NearFound, isolation: Isolation): HandedOut {
  const { value, shared, tiers, createdAt, freshUntil } = entry
  const kept = tiers === 'l1' ? value : handOutAs(value, shared, isolation)
  return { loaded: { value: kept, tier: 'l1', freshness, createdAt, freshUntil }, joined: false }
}

function ofLoad({ loaded, joined }: Answer): HandedOut {
  return loaded.shared ? { loaded, joined } : { loaded: { ...loaded, value: handOut(loaded.value, false) }, joined }
}

/** A caller that asks for another isolation than the value was kept with gets a copy where sharing would break it. */
function handOutAs(value: unknown, shared: boolean, isolation: Isolation): unknown {
  if (isolation === 'copy' || (isolation === 'frozen' && !shared)) return handOut(value, false)
  return isolation === 'reference' ? value : handOut(value, shared)
}
