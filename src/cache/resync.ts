import type { LostLinks } from '../bus/bus.ts'
import { bucketGroup, bucketOf } from '../entry/key.ts'
import type { Invalidation } from './journal.ts'
import { everything } from './journal.ts'
import type { Parts } from './parts.ts'

/**
 * After a gap in the notices of some buckets: any notice may have been missed, so nothing that L1 holds of them is
 * believed, and nothing that is under way may fill it. O(1) in the number of entries.
 */
export function dropUnheard(parts: Parts, reason: string, buckets: readonly number[]): void {
  const { marks, flights, loads, bus } = parts
  const ofAll = buckets.length === bus.buckets
  if (ofAll) marks.moveAll()
  else for (const bucket of buckets) marks.move(bucketGroup(bucket))
  const isMeant = (id: string) => ofAll || buckets.includes(bucketOf(id, bus.buckets))
  flights.poisonAll('gap', isMeant)
  loads.detachAll(isMeant)
  parts.incidents.gap(reason, buckets)
}

/**
 * L2 may have lost what it had acknowledged, because of this order of events:
 *   1. delete k is acknowledged; the replica has not got it yet
 *   2. the master dies, and the replica takes its place: k is there again, with its old value
 * What was invalidated lately is invalidated once more. Until that is acknowledged, L2 is not believed about it here.
 */
export function resync(parts: Parts, reason: string, buckets: readonly number[], links?: LostLinks): void {
  dropUnheard(parts, reason, buckets)
  const lost = parts.recent.lost(buckets, links)
  const meant = lost === 'everything' ? [everything] : lost
  const where = buckets.length === parts.bus.buckets ? undefined : buckets
  for (const each of meant) parts.journal.add({ number: parts.journal.next(), invalidation: within(each, where) })
  parts.incidents.resync(reason, buckets, meant.map(nameOf))
}

/** What no server has lost but that of these buckets need not be repeated in others. In these it is, wherever it was owed before. */
function within(invalidation: Invalidation, buckets: readonly number[] | undefined): Invalidation {
  return invalidation.kind === 'key' ? invalidation : { ...invalidation, buckets }
}

/** The same for the same key or group, wherever it is meant. */
function nameOf(invalidation: Invalidation): string {
  return invalidation.kind + (invalidation.kind === 'key' ? invalidation.id : invalidation.group)
}
