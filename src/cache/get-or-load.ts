import type { Isolation } from '../entry/isolation.ts'
import type { StandardSchema } from '../entry/schema.ts'
import type { LoadRequest } from './loader.ts'
import { loadedValueOf } from './loader.ts'
import type { NearFound } from './lookup.ts'
import { lookupNear } from './lookup.ts'
import { handOut } from './near.ts'
import type { Loaded, Parts } from './parts.ts'
import type { Answer } from './read-through.ts'
import { readThrough } from './read-through.ts'
import { renewFarAhead, renewNearAhead } from './renew-ahead.ts'
import { isEnough } from './servable.ts'
import { newerInTime } from './soft-timeout.ts'
import { renewBehind } from './stale-while-revalidate.ts'
import { checkGiven } from './validity.ts'

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
  const found = lookupNear(parts, target, settings, requests)
  const near = found instanceof Promise ? await found : found
  if (near?.freshness === 'fresh') {
    renewNearAhead(parts, request, near.entry)
    return ofNear(near, settings.isolation)
  }
  settings.signal?.throwIfAborted()
  const stale = near && isEnough(parts, request, near.entry) ? near : undefined
  const answer = stale ? undefined : await readThrough(parts, request)
  if (answer && (answer.loaded.freshness === 'fresh' || answer.loaded.failure !== undefined)) {
    if (answer.loaded.tier === 'l2') renewFarAhead(parts, request, answer.loaded)
    return ofLoad(request, answer)
  }
  const { groups } = answer?.loaded ?? (stale as NearFound).entry
  if (settings.softTimeoutMs > 0) return ofLoad(request, await newerInTime(parts, request, groups))
  void renewBehind(parts, request, groups)
  return answer ? ofLoad(request, answer) : ofNear(stale as NearFound, settings.isolation)
}

function ofNear({ entry, freshness }: NearFound, isolation: Isolation): HandedOut {
  const { value, shared, tiers, createdAt, freshUntil } = entry
  const kept = tiers === 'l1' ? value : handOutAs(value, shared, isolation)
  return { loaded: { value: kept, tier: 'l1', freshness, createdAt, freshUntil }, joined: false }
}

function ofLoad(request: LoadRequest, { loaded, joined }: Answer): HandedOut | Promise<HandedOut> {
  const { schema, isolation } = request.settings
  if (joined && schema !== undefined && loaded.schema !== schema) return checkJoined(request, loaded, schema)
  const value = ownOf(loaded, isolation)
  return value === loaded.value ? { loaded, joined } : { loaded: { ...loaded, value }, joined }
}

/** What was loaded by a caller with another schema, or none, is checked for this one alone. */
async function checkJoined(
  { target, settings }: LoadRequest,
  loaded: Loaded,
  schema: StandardSchema,
): Promise<HandedOut> {
  const checked = await checkGiven(schema, ownOf(loaded, settings.isolation), loadedValueOf(target))
  return { loaded: { ...loaded, value: checked }, joined: true }
}

/** What one caller gets of what was loaded, perhaps by another one with another isolation. */
function ownOf({ value, shared, isAsItIs }: Loaded, isolation: Isolation): unknown {
  return isAsItIs ? value : handOutAs(value, shared, isolation)
}

/** A caller that asks for another isolation than the value was kept with gets a copy where sharing would break it. */
function handOutAs(value: unknown, shared: boolean, isolation: Isolation): unknown {
  if (isolation === 'copy' || (isolation === 'frozen' && !shared)) return handOut(value, false)
  return isolation === 'reference' ? value : handOut(value, shared)
}
