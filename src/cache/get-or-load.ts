import { ageAt, ttlAt } from '../entry/freshness.ts'
import type { Isolation } from '../entry/isolation.ts'
import { isFrozen } from '../entry/isolation.ts'
import type { StandardSchema } from '../entry/schema.ts'
import type { NearEntry } from '../tiers/near-entry.ts'
import type { LoadRequest } from './load-request.ts'
import { loadedValueOf } from './loader.ts'
import type { NearFound } from './lookup.ts'
import { lookupNear } from './lookup.ts'
import { handOut } from './near.ts'
import type { Loaded, Parts } from './parts.ts'
import type { Answer } from './read-through.ts'
import { readThrough } from './read-through.ts'
import { renewFarAhead, renewNearAhead } from './renew-ahead.ts'
import type { FarRead } from './servable.ts'
import { isEnough, isTaken } from './servable.ts'
import { newerInTime } from './soft-timeout.ts'
import { renewBehind } from './stale-while-revalidate.ts'
import { checkGiven } from './validity.ts'

/** What a load hands to one caller. */
export interface HandedOut {
  readonly loaded: Pick<Loaded, 'value' | 'tier' | 'freshness' | 'createdAt' | 'freshUntil' | 'failure'>
  /** Whether the caller waited for a load that another one had started. */
  readonly joined: boolean
}

/** A value with where it came from: see `Cache.getOrSetEntry`. Durations are in whole ms. */
export interface LoadedEntry<T> {
  readonly value: T
  readonly freshness: 'fresh' | 'stale'
  readonly age: number
  readonly ttl: number
  readonly tier: 'l1' | 'l2' | 'loader'
  /** Whether this caller waited for a load that another caller of this process had started. */
  readonly shared: boolean
}

/**
 * The story of `getOrSet`: L1, then all that a miss takes. A stale value is renewed behind its reader, who may wait for the
 * newer one.
 */
export function getOrLoad(parts: Parts, request: LoadRequest): Promise<HandedOut> {
  const { target, settings, requests } = request
  const found = lookupNear(parts, target, settings, requests)
  return found instanceof Promise
    ? found.then((near) => fromNear(parts, request, near))
    : fromNear(parts, request, found)
}

function fromNear(parts: Parts, request: LoadRequest, near: NearFound | undefined): Promise<HandedOut> {
  const { isolation, signal } = request.settings
  if (near?.freshness === 'fresh' && isTakenFresh(parts, request, near.entry)) {
    renewNearAhead(parts, request, near.entry)
    return Promise.resolve(ofNear(near, isolation))
  }
  if (signal?.aborted) return Promise.reject(signal.reason)
  if (near?.freshness === 'stale' && isEnough(parts, request, near.entry)) {
    const { groups } = near.entry
    if (request.settings.softTimeoutMs > 0) return waitForNewer(parts, request, groups)
    void renewBehind(parts, request, groups)
    return Promise.resolve(ofNear(near, isolation))
  }
  return loadFrom(parts, request)
}

/** The same beyond L1. `first`: what L2 has said already. */
export function loadFrom(parts: Parts, request: LoadRequest, first?: FarRead): Promise<HandedOut> {
  return readThrough(parts, request, first).then((answer) => fromBehind(parts, request, answer))
}

function isTakenFresh(parts: Parts, request: LoadRequest, { value, createdAt, freshUntil }: NearEntry): boolean {
  return request.accepts === undefined || isTaken(parts, request, { value, freshness: 'fresh', createdAt, freshUntil })
}

/** What L2, or a load, has come to. */
function fromBehind(parts: Parts, request: LoadRequest, answer: Answer): HandedOut | Promise<HandedOut> {
  const { loaded } = answer
  if (loaded.freshness === 'fresh' || loaded.failure !== undefined) {
    if (loaded.tier === 'l2') renewFarAhead(parts, request, loaded)
    return ofLoad(request, answer)
  }
  if (request.settings.softTimeoutMs > 0) return waitForNewer(parts, request, loaded.groups)
  void renewBehind(parts, request, loaded.groups)
  return ofLoad(request, answer)
}

async function waitForNewer(parts: Parts, request: LoadRequest, groups: readonly string[]): Promise<HandedOut> {
  return ofLoad(request, await newerInTime(parts, request, groups))
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
  if (isolation === 'reference') return value
  return handOut(value, isolation === 'frozen' && shared && isFrozen(value))
}

/** What was handed out, as its caller sees it. */
export function loadedEntry<T>({ clock }: Parts, { loaded, joined }: HandedOut): LoadedEntry<T> {
  const { value, freshness, createdAt, freshUntil, tier } = loaded
  const now = clock.now()
  const [age, ttl] = [ageAt(createdAt, now), ttlAt(freshUntil, now)]
  return { value: value as T, freshness, age, ttl, tier, shared: joined }
}
