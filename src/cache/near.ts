import type { Currency } from '../entry/currency.ts'
import type { Entry } from '../entry/entry.ts'
import type { Freshness } from '../entry/freshness.ts'
import { judge, MADE_STALE } from '../entry/freshness.ts'
import type { Isolation } from '../entry/isolation.ts'
import { copyDeep, freezeDeep } from '../entry/isolation.ts'
import { tagGroup } from '../entry/key.ts'
import { NearEntry } from '../tiers/near-entry.ts'
import type { StandardSchema } from '../entry/schema.ts'
import type { Flight } from './flights.ts'
import type { InvalidationSubject } from '../events.ts'
import type { Invalidation, JournalEntry } from './journal.ts'
import type { Parts, Target } from './parts.ts'

/**
 * How an entry of L1 stands: as its own deadlines say, or
 *
 * - `void`: a group of its own has moved, or its time in L1 is over;
 * - `unproven`: nobody knows at this moment, within the bound on staleness, that it is current. It may be again.
 */
export type Standing = Freshness | 'void' | 'unproven'

/** Judges an entry of L1 at an instant. */
export function standing(parts: Parts, near: NearEntry, now: number): Standing {
  const { marks } = parts
  if (near.mark !== marks.count) {
    if (marks.movedSince(near.groups, near.mark)) return 'void'
    if (marks.movedSoftlySince(near.groups, near.mark)) near.makeStale()
    near.mark = marks.count
  }
  if (now >= near.keptUntil) return 'void'
  if (!isProven(parts, near.home.currency, near.asOf, now) && !servesUnproven(parts, near)) return 'unproven'
  return judge(near, now)
}

/** Whether {@link standing} is `fresh`. Where nothing has happened a few compares tell. */
export function isFresh(parts: Parts, near: NearEntry, now: number): boolean {
  const { verifiedAt, behindAt } = near.home.currency
  const isSurely =
    near.mark === parts.marks.count &&
    near.isSurelyFresh(now) &&
    now - verifiedAt <= parts.settings.maxStalenessMs &&
    verifiedAt >= behindAt
  return isSurely || standing(parts, near, now) === 'fresh'
}

/** Whether what was current at the instant `asOf` is known to be so still, within the bound on staleness. */
export function isProven({ settings }: Parts, currency: Currency, asOf: number, now: number): boolean {
  const knownAt = Math.max(asOf, currency.verifiedAt)
  return now - knownAt <= settings.maxStalenessMs && knownAt >= currency.behindAt
}

/** Whether L1 answers without a proof: the application prefers that to loading while Redis is down. */
function servesUnproven({ settings, shared }: Parts, { home: { bucket } }: NearEntry): boolean {
  return settings.onRedisDown === 'serve-l1' && shared?.far.reaches(bucket) === false
}

/** Whether L1 is known to be current within the bound on staleness, as to one bucket. */
export function isCoherent(parts: Parts, bucket: number): boolean {
  const currency = parts.bus.currency(bucket)
  return isProven(parts, currency, currency.verifiedAt, parts.clock.now())
}

/** As {@link isCoherent}; a bucket of which there is nothing to hear is no trouble either. */
export function isInTouch(parts: Parts, bucket: number): boolean {
  const currency = parts.bus.currency(bucket)
  return isProven(parts, currency, Math.max(currency.verifiedAt, currency.emptyAt), parts.clock.now())
}

/** What a reader gets of a value that is shared, or not. */
export function handOut(value: unknown, shared: boolean): unknown {
  return shared ? value : copyDeep(value)
}

/** Makes a decoded value ready for its readers. Answers whether they may share it. */
export function isolate(value: unknown, isolation: Isolation): boolean {
  switch (isolation) {
    case 'reference':
      return true
    case 'copy':
      return false
    case 'frozen':
      return freezeDeep(value)
  }
}

export interface Landing {
  readonly entry: Entry
  readonly bytes: number
  readonly shared: boolean
  /** `'l1'`: it is the very value, and nowhere else. Default `'all'`. */
  readonly tiers?: 'all' | 'l1'
  readonly l1TtlMs: number
  /** What it was checked under. */
  readonly schema?: StandardSchema | undefined
  /** When the value was known to be current. */
  readonly asOf: number
  /** Nobody guards this value but time: it stays no longer than the bound on staleness. */
  readonly unguarded?: boolean
}

/**
 * Keeps an entry in L1, unless something happened to its key or groups since its flight began. Answers whether it was
 * kept.
 */
export function land(parts: Parts, target: Target, flight: Flight, landing: Landing): boolean {
  const { near, marks, settings, clock, shared: others } = parts
  if (!near) return true
  const { entry, l1TtlMs, asOf, shared, bytes } = landing
  const groups = groupsOf(target, entry.tags)
  const reason = flight.poison ?? (marks.movedSince(groups, flight.mark) ? 'moved' : undefined)
  if (reason !== undefined) {
    refuse(parts, target, reason)
    return false
  }
  const now = clock.now()
  const keptUntil = now + l1TtlMs
  const freshUntil = marks.movedSoftlySince(groups, flight.mark) ? MADE_STALE : keptUntil
  const isShort = landing.unguarded && settings.onRedisDown !== 'serve-l1'
  const kept = new NearEntry({
    value: entry.value,
    home: target.home,
    createdAt: entry.createdAt,
    freshUntil: Math.min(entry.freshUntil, freshUntil),
    // Past its time in L1 it is read again from L2; where there is none, that is its end.
    ttlUntil: others && entry.freshUntil > keptUntil ? entry.freshUntil : undefined,
    loadMs: entry.loadMs,
    staleUntil: Math.min(entry.staleUntil, keptUntil),
    tags: entry.tags,
    version: entry.version,
    groups,
    asOf,
    keptUntil: isShort ? Math.min(keptUntil, asOf + settings.maxStalenessMs) : keptUntil,
    mark: marks.count,
    bytes,
    shared,
    tiers: landing.tiers ?? 'all',
    schema: landing.schema,
  })
  near.set(target.id, kept)
  return true
}

/**
 * Whether L1 may answer with an entry that was stored later than this one, which a read brings:
 *   1. a read of L2 is answered with v1, and the answer is slow
 *   2. v1 is replaced ahead of its end: this process loads v2, and keeps it
 *   3. the answer comes: v1 is fresh still, and nothing was told that would keep it out of L1
 */
export function isNewerNear(parts: Parts, { id }: Target, { createdAt }: Entry): boolean {
  const there = parts.near?.peek(id)
  return there !== undefined && there.createdAt > createdAt && isFresh(parts, there, parts.clock.now())
}

/** The groups of an entry: the namespaces above it, and its tags. */
export function groupsOf(target: Target, tags: readonly string[]): readonly string[] {
  return tags.length === 0 ? target.groups : [...target.groups, ...tags.map(tagGroup)]
}

/** Counts and tells a value that was given to its callers but not stored. */
export function refuse(parts: Parts, target: Target, reason: string): void {
  parts.counters.fillsRefused++
  parts.events.tell('fill-refused', () => ({ namespace: target.namespace, key: target.key, reason }))
}

/** Makes a key another one in this process: L1 drops it, what is under way may not fill L1, newcomers do not join it. */
export function forget(parts: Parts, target: { readonly id: string }, reason: string, except?: Flight): void {
  parts.flights.poison(target.id, reason, except)
  parts.loads.detach(target.id)
  parts.backOff.end(target.id)
  parts.near?.delete(target.id)
}

/**
 * Makes a key stale in this process. What L2 has is read again from there, where its deadline has moved; what is under
 * way may fill L1 no more, as that would be fresh.
 */
export function expireNear(parts: Parts, target: { readonly id: string }, reason = 'expire'): void {
  const entry = parts.near?.get(target.id)
  if (!entry || (parts.shared && entry.tiers === 'all')) {
    forget(parts, target, reason)
    return
  }
  parts.flights.poison(target.id, reason)
  parts.loads.detach(target.id)
  parts.backOff.end(target.id)
  entry.makeStale()
}

/** Puts a change that L2 has not acknowledged into the journal, and tells it. */
export function noteUnacknowledged(parts: Parts, entry: JournalEntry, operation: string, error: unknown): void {
  parts.journal.add(entry)
  parts.counters.unacknowledged++
  parts.events.tell('unacknowledged', () => {
    const { invalidation } = entry
    return { operation, ...subjectOf(invalidation), error }
  })
}

/** What an invalidation is about, for an event. */
export function subjectOf(invalidation: Invalidation): InvalidationSubject {
  switch (invalidation.kind) {
    case 'key':
      return { namespace: invalidation.address.namespace, key: invalidation.address.key }
    case 'namespace':
      return { namespace: invalidation.namespace }
    case 'tag':
      return { tag: invalidation.tag }
  }
}
