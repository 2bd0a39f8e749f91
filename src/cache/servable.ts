import type { Seen } from '../tiers/tier.ts'
import type { LoadRequest } from './loader.ts'
import { lookupFar } from './lookup.ts'
import { groupsOf, standing } from './near.ts'
import type { Loaded, Parts } from './parts.ts'

/** What L2 says to a reader: a value; or nothing that it may use, and what must be named to the lease as seen. */
export type FarRead =
  | { readonly word: 'value'; readonly loaded: Loaded }
  | { readonly word: 'unusable'; readonly seen: Seen | undefined }
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

/** Looks into L2 for a caller that comes first. */
export async function readFarFirst(parts: Parts, request: LoadRequest): Promise<FarRead> {
  const read = await readFar(parts, request)
  if (read.word !== 'unreachable') parts.streak.noted(read.word === 'value')
  return read
}

/** Looks into L2 on a flight of its own. */
export async function readFar(parts: Parts, { target, settings, requests, purpose }: LoadRequest): Promise<FarRead> {
  // What L2 has under a key that was invalidated here, and not yet there, is not to be believed.
  const mayAsk = settings.tiers === 'all' && !parts.journal.fences(target.id, target.groups, target.bucket)
  if (!parts.shared || !mayAsk) return { word: 'unreachable' }
  const flight = parts.flights.open(target.id, parts.marks.count)
  try {
    const { entry, shared, freshness, seen } = await lookupFar(parts, target, flight, settings, requests)
    const isUsable = freshness === 'fresh' || (freshness === 'stale' && purpose === 'read')
    if (!entry || !isUsable) return { word: 'unusable', seen }
    const { value, createdAt, freshUntil, tags } = entry
    const groups = groupsOf(target, tags)
    const { mark } = flight
    return { word: 'value', loaded: { value, shared, tier: 'l2', freshness, createdAt, freshUntil, mark, groups } }
  } catch {
    // Counted and told by the client.
    return { word: 'unreachable' }
  } finally {
    parts.flights.close(flight)
  }
}

/** What L1 may answer a reader with. Not counted: the lookup that began the call was. */
export function readNear(parts: Parts, { target, purpose }: LoadRequest): Loaded | undefined {
  const near = parts.near?.get(target.id)
  const freshness = near && standing(parts, near, parts.clock.now())
  const isUsable = freshness === 'fresh' || (freshness === 'stale' && purpose === 'read')
  if (!near || !isUsable) return undefined
  const { value, shared, createdAt, freshUntil, mark, groups } = near
  return { value, shared, tier: 'l1', freshness, createdAt, freshUntil, mark, groups }
}

/** What may be served by now, after a load or a wait that came to nothing: from L1, else from L2. */
export async function readAgain(parts: Parts, request: LoadRequest): Promise<Loaded | undefined> {
  const near = readNear(parts, request)
  if (near) return near
  const read = await readFar(parts, request)
  return read.word === 'value' ? read.loaded : undefined
}
