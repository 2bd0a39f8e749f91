import { isMadeStale } from '../entry/freshness.ts'
import type { Seen } from '../tiers/tier.ts'
import type { Flight } from './flights.ts'
import type { LoadRequest, Replaced } from './load-request.ts'
import type { FarLookup } from './lookup.ts'
import { lookupFar } from './lookup.ts'
import { groupsOf, standing } from './near.ts'
import type { Loaded, Parts } from './parts.ts'
import { isChecked } from './validity.ts'

/** What L2 says to a reader: a value; or nothing that it may use, and what must be named to the lease as seen. */
export type FarRead =
  | { readonly word: 'value'; readonly loaded: Loaded }
  | { readonly word: 'unusable'; readonly seen: Seen | undefined; readonly there?: Replaced | undefined }
  | { readonly word: 'unreachable' }

/** What is known of L2 while it is passed over. */
export const UNREACHABLE: FarRead = { word: 'unreachable' }

/** What is taken for L2's word without asking it: the lease is not granted where it is wrong. */
export const PRESUMED_MISSING: FarRead = { word: 'unusable', seen: undefined }

/** Whether L2 is likely to have nothing for a caller that comes first. */
export function isPresumedMissing(
  { streak, journal, renewing }: Parts,
  { target, purpose, place }: LoadRequest,
): boolean {
  // One command reads all keys of a batch: nothing is saved by as many leases that may not be granted.
  if (place) return false
  // Where a renewal is under way there is a stale value, which its readers need not wait behind.
  const mayGuess =
    purpose === 'read' && !renewing.has(target.id) && !journal.fences(target.id, target.groups, target.bucket)
  return streak.isCold && mayGuess
}

/** Looks into L2 on a flight of its own. */
export function readFar(parts: Parts, request: LoadRequest): Promise<FarRead> {
  const { target, settings, requests } = request
  // What L2 has under a key that was invalidated here, and not yet there, is not to be believed.
  const mayAsk = settings.tiers === 'all' && !parts.journal.fences(target.id, target.groups, target.bucket)
  if (!parts.shared || !mayAsk) return Promise.resolve(UNREACHABLE)
  const flight = parts.flights.open(target.id, parts.marks.count)
  return lookupFar(parts, target, flight, settings, requests).then(
    (looked) => {
      parts.flights.close(flight)
      return readOf(parts, request, flight, looked)
    },
    () => {
      // Counted and told by the client.
      parts.flights.close(flight)
      return UNREACHABLE
    },
  )
}

/** What a look into L2 says to its reader, by its flight: what its key had until then is not to be replaced any more. */
export function readOf(parts: Parts, request: LoadRequest, { mark, poison }: Flight, looked: FarLookup): FarRead {
  const { entry, shared, freshness, seen } = looked
  if (!entry) return { word: 'unusable', seen }
  const { target, settings } = request
  const { value, createdAt, freshUntil, tags, loadMs } = entry
  const groups = groupsOf(target, tags)
  const { schema } = settings
  const loaded: Loaded = {
    value,
    shared,
    tier: 'l2',
    freshness,
    createdAt,
    freshUntil,
    loadMs,
    schema,
    mark,
    groups,
  }
  if (isUsable(parts, request, loaded)) return { word: 'value', loaded }
  if (poison !== undefined) return { word: 'unusable', seen }
  return { word: 'unusable', seen, there: { value, shared, createdAt, tags, mark, groups } }
}

/** What L1 may be answered with in place of a load or a wait that came to nothing. Not counted: the lookup that began the call was. */
export function readNear(parts: Parts, request: LoadRequest): Loaded | undefined {
  const { target, settings, purpose } = request
  const near = parts.near?.get(target.id)
  const freshness = near && standing(parts, near, parts.clock.now())
  if (!near || (freshness !== 'fresh' && freshness !== 'stale') || !isChecked(near, settings.schema)) return undefined
  if (freshness === 'stale' && purpose === 'renew') return undefined
  const { value, shared, tiers, createdAt, freshUntil, schema, mark, groups } = near
  if (!isTaken(parts, request, { value, freshness, createdAt, freshUntil })) return undefined
  return { value, shared, isAsItIs: tiers === 'l1', tier: 'l1', freshness, createdAt, freshUntil, schema, mark, groups }
}

/**
 * Whether a caller takes this: as it judges itself; others whatever may be served, unless they said a `stale` of 0. See
 * docs/decisions/0024-expired-values-are-a-fallback.md.
 */
export function isTaken(
  { clock }: Parts,
  { accepts, purpose, settings }: LoadRequest,
  found: Pick<Loaded, 'value' | 'freshness' | 'createdAt' | 'freshUntil' | 'failure'>,
): boolean {
  const { value, freshness, createdAt, failure } = found
  if (accepts === undefined) return freshness === 'fresh' || settings.staleMs !== 0 || isMadeStale(found)
  const failed = failure !== undefined || purpose === 'fall-back'
  return accepts({ value, freshness, age: Math.max(0, clock.now() - createdAt), failed })
}

/**
 * Whether what another caller's load has come to is for one who waited for it. Throws what the load has failed with where a
 * stale value stands in for it which this caller does not take: it is one failure for all.
 */
export function suits(parts: Parts, request: LoadRequest, loaded: Loaded): boolean {
  if (isTaken(parts, request, loaded)) return true
  if (request.accepts === undefined && loaded.failure !== undefined) throw loaded.failure
  return false
}

/**
 * Whether a stale value will do for a reader, who then need not wait. What was made stale by `expire` or `expireTags` will
 * not do where its `stale` is 0: it takes the place of a load that fails, and of those that would follow a moment later. See
 * docs/decisions/0024-expired-values-are-a-fallback.md. A caller that judges itself is asked in place of that.
 */
export function isEnough(
  parts: Parts,
  request: LoadRequest,
  stale: Pick<Loaded, 'value' | 'createdAt' | 'freshUntil' | 'groups'>,
): boolean {
  const { target, settings, accepts } = request
  const { backOff } = parts
  const { value, createdAt, freshUntil } = stale
  if (!isTaken(parts, request, { value, freshness: 'stale', createdAt, freshUntil })) return false
  return accepts !== undefined || !!settings.staleMs || !isMadeStale(stale) || backOff.holds(target.id, stale.groups)
}

/** What may be served by now, after a load or a wait that came to nothing: from L1, else from L2. */
export async function readAgain(parts: Parts, request: LoadRequest): Promise<Loaded | undefined> {
  const last: LoadRequest = request.purpose === 'read' ? { ...request, purpose: 'fall-back' } : request
  const near = readNear(parts, last)
  if (near) return near
  const read = await readFar(parts, last)
  return read.word === 'value' ? read.loaded : undefined
}

/** Whether what L2 has answers a request. */
function isUsable(parts: Parts, request: LoadRequest, found: Loaded): boolean {
  const { createdAt, freshUntil: ttlUntil, loadMs = 0 } = found
  if (found.freshness === 'fresh' && request.isDue?.({ createdAt, ttlUntil, loadMs })) return false
  if (found.freshness === 'fresh') return isTaken(parts, request, found)
  switch (request.purpose) {
    case 'read':
      return isEnough(parts, request, found)
    case 'fall-back':
      return isTaken(parts, request, found)
    case 'renew':
      return false
  }
}

/** The request of a load that follows a look into L2. */
export function replacing(request: LoadRequest, read: FarRead): LoadRequest {
  return read.word === 'unusable' && read.there ? { ...request, there: read.there } : request
}

/** What a load that begins now replaces: what L1 has; or L2, unless it became another one since. */
export function replacedBy(
  parts: Parts,
  { target, settings, there }: LoadRequest,
  flight?: Flight,
): Replaced | undefined {
  const near = parts.near?.get(target.id)
  const freshness = near && standing(parts, near, parts.clock.now())
  if (near && (freshness === 'fresh' || freshness === 'stale') && isChecked(near, settings.schema)) return near
  if (!there || flight?.poison !== undefined || parts.marks.movedSince(there.groups, there.mark)) return undefined
  return there
}
