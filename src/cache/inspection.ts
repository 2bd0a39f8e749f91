import { ageAt, judge, MADE_STALE, ttlAt } from '../entry/freshness.ts'
import { namespaceGroup, tagGroup } from '../entry/key.ts'
import type { Incompatibility } from '../events.ts'
import type { LeaseSight } from '../stampede/lease.ts'
import type { NearEntry } from '../tiers/near-entry.ts'
import type { Sight } from '../tiers/tier.ts'
import type { EntrySettings } from './call-options.ts'
import { groupsOf, standing } from './near.ts'
import type { Parts, Target } from './parts.ts'

/** What is known of a key, for people: plain data, which JSON keeps whole. Durations are in ms. */
export interface Inspection {
  readonly namespace: string
  readonly key: string
  /** What `getEntry` would be answered now, and which tier would answer it; a `schema` is not asked. */
  readonly answer: 'fresh' | 'stale' | 'none'
  readonly tier?: 'l1' | 'l2'
  /** The same in a sentence. */
  readonly why: string
  /** Absent with `l1: false`. */
  readonly l1?: TierInspection
  /** Absent with L1 alone, and in a namespace with `tiers: 'l1'`. */
  readonly l2?: TierInspection
  readonly load: LoadInspection
  /** What stands under the key for all processes, if anything does. */
  readonly lease?: LeaseInspection
}

/**
 * - `fresh`, `stale`: it may be served. - `expired`: its time is over, `missing`: nothing is there.
 * - `void`: a tag, a `clear`, or a gap in the notices has made it unusable; in L1, also the end of `l1Ttl`.
 * - `unproven`: in L1 alone; nobody knows at this moment, within `maxStaleness`, that it is current. It may be served again.
 * - `fenced`: in L2; its key, a tag of it or its namespace was invalidated here, which Redis has not acknowledged yet.
 * - `incompatible`, `undecodable`: in L2; this process cannot use it, nobody can.
 * - `unreachable`: L2 could not be asked.
 */
export type TierState =
  | 'fresh'
  | 'stale'
  | 'expired'
  | 'void'
  | 'unproven'
  | 'fenced'
  | 'incompatible'
  | 'undecodable'
  | 'missing'
  | 'unreachable'

/** What one tier has under a key. */
export interface TierInspection {
  readonly state: TierState
  /** Why it is in that state, in a sentence. */
  readonly why: string
  /** What is there, whether it may be served or not. */
  readonly entry?: EntryInspection
  /** Why it is `incompatible`. */
  readonly reason?: Incompatibility
}

export interface EntryInspection {
  /** Since it was stored. */
  readonly age: number
  /** For how long it is fresh by its own deadline: 0 when it is stale. */
  readonly ttl: number | 'never'
  /** For how long after that it may be served as a stale one. */
  readonly stale: number | 'never'
  readonly tags: readonly string[]
  /** As L1 counts it, without overhead; in L2, as it is stored. */
  readonly bytes: number
  readonly version?: number
  readonly schemaVersion?: string
  /** How long its loader took, in L2; 0 for one that was set. */
  readonly loadMs?: number
  /** `'l1'`: the very value, which L2 never has. In L1. */
  readonly tiers?: 'all' | 'l1'
}

/** What this process does about a key. */
export interface LoadInspection {
  /** `renewing`: a load behind a stale value. */
  readonly state: 'none' | 'loading' | 'renewing'
  /** How many callers of this process wait for a value. */
  readonly waiting: number
}

export interface LeaseInspection {
  /**
   * - `held`: somebody loads. - `late`: somebody loads, past its `hardTimeout` or with nobody left who waits.
   * - `failed`, `skipped`: the last load failed, or was not to be stored; that is gone in a moment.
   */
  readonly state: 'held' | 'late' | 'failed' | 'skipped'
  /** Until it ends by itself, or another process may take over. */
  readonly left: number
  /** The process that loads, by its name in notices. */
  readonly holder?: string
  readonly isOurs: boolean
  /** Whether a process waits for it, this one or another. */
  readonly awaited: boolean
  /** With what it failed. */
  readonly failure?: string
}

/** The story of a look at a key. It is no read: nothing is counted, kept, dropped or told; L2 is asked by itself. */
export async function inspectKey(parts: Parts, target: Target, { tiers }: EntrySettings): Promise<Inspection> {
  const { loads, renewing, callers, flights, near, clock } = parts
  const shared = tiers === 'all' ? parts.shared : undefined
  const [far, lease] = await Promise.all([
    shared && attempt(() => shared.far.inspect(target, target.schemaVersion)),
    shared && attempt(() => shared.leases.inspect(target)),
  ])
  const now = clock.now()
  const l1 = near && nearInspection(parts, near.peek(target.id), now)
  const l2 = far && farInspection(parts, target, far, now)
  const isRenewing = renewing.has(target.id)
  const isLoading = loads.joinable(target.id) !== undefined
  const waiting = Math.max(0, callers.of(target.id) + flights.waitingFor(target.id) - (isRenewing ? 1 : 0))
  return {
    namespace: target.namespace,
    key: target.key,
    ...answerOf(l1, l2),
    ...(l1 && { l1 }),
    ...(l2 && { l2 }),
    load: { state: isRenewing ? 'renewing' : isLoading ? 'loading' : 'none', waiting },
    ...(lease && !(lease instanceof Error) && { lease: leaseInspection(parts, lease) }),
  }
}

/** A look that fails is told as such. */
async function attempt<T>(look: () => Promise<T>): Promise<T | Error> {
  try {
    return await look()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function answerOf(
  l1: TierInspection | undefined,
  l2: TierInspection | undefined,
): Pick<Inspection, 'answer' | 'tier' | 'why'> {
  for (const [tier, found] of [
    l1?.state === 'fresh' ? (['l1', l1] as const) : undefined,
    l2?.state === 'fresh' || l2?.state === 'stale' ? (['l2', l2] as const) : undefined,
    l1?.state === 'stale' ? (['l1', l1] as const) : undefined,
  ].flatMap((each) => (each ? [each] : []))) {
    const answer = found.state as 'fresh' | 'stale'
    return { answer, tier, why: `${tier === 'l1' ? 'L1' : 'L2'} has it: ${found.why}` }
  }
  const whys = [l1 && `L1: ${l1.why}`, l2 && `L2: ${l2.why}`].filter((why) => why !== undefined)
  return { answer: 'none', why: whys.join('. ') || 'the cache has neither L1 nor L2 for it' }
}

const NOTHING: TierInspection = { state: 'missing', why: 'nothing is there' }

// ── L1 ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function nearInspection(parts: Parts, near: NearEntry | undefined, now: number): TierInspection {
  if (!near) return NOTHING
  // A copy: what is found out on the way is noted in the entry.
  const judged = near.with({})
  const state = standing(parts, judged, now)
  const { createdAt, freshUntil, staleUntil, tags, version, tiers, bytes } = judged
  const entry: EntryInspection = {
    ...timesOf({ createdAt, freshUntil, staleUntil }, now),
    tags,
    bytes,
    ...versionOf(version),
    tiers,
  }
  return { state, why: whyNear(parts, near, judged, state, now), entry }
}

function whyNear(parts: Parts, near: NearEntry, judged: NearEntry, state: TierState, now: number): string {
  switch (state) {
    case 'void':
      return whyVoid(parts, near)
    case 'unproven':
      return whyUnproven(near, now)
    default: {
      const softly = near.groups.filter((group) => parts.marks.movedSoftlySince([group], near.mark))
      return whyTimes(judged, now, wereExpired(softly))
    }
  }
}

function whyVoid({ marks }: Parts, { groups, mark }: NearEntry): string {
  if (marks.movedSince([], mark))
    return 'notices may have been missed since it was kept (a gap), or too many to be remembered came'
  const moved = groups.filter((group) => marks.movedSince([group], mark))
  return moved.length > 0 ? `${wereMoved(moved)} since it was kept` : 'its time in L1 (l1Ttl) is over'
}

function whyUnproven({ home, asOf }: NearEntry, now: number): string {
  const { verifiedAt, behindAt } = home.currency
  const knownAt = Math.max(asOf, verifiedAt)
  if (knownAt < behindAt) return 'notices were found to be missing, and it is not proven anew yet'
  return `it was known to be current ${Math.round(now - knownAt)} ms ago, and that is longer than maxStaleness`
}

// ── L2 ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function farInspection(parts: Parts, target: Target, sight: Sight | Error, now: number): TierInspection {
  if (sight instanceof Error) return { state: 'unreachable', why: sight.message }
  const fenced = (tags: readonly string[]) => parts.journal.fences(target.id, groupsOf(target, tags), target.bucket)
  switch (sight.word) {
    case 'missing':
      return fenced([]) ? { state: 'fenced', why: UNACKNOWLEDGED } : NOTHING
    case 'undecodable':
      return { state: 'undecodable', why: sight.message }
    case 'entry': {
      const { tags, bytes, version, schemaVersion, loadMs } = sight
      const entry: EntryInspection = {
        ...timesOf(sight, now),
        tags,
        bytes,
        ...versionOf(version),
        ...(schemaVersion !== undefined && { schemaVersion }),
        ...(loadMs !== undefined && { loadMs }),
      }
      return { ...stateOf(sight, fenced(tags), now), entry }
    }
  }
}

const UNACKNOWLEDGED =
  'it was invalidated here, which Redis has not acknowledged yet: L2 is passed over for it until then'

function stateOf(
  sight: Extract<Sight, { word: 'entry' }>,
  isFenced: boolean,
  now: number,
): Omit<TierInspection, 'entry'> {
  const { moved, lost, expired, incompatible, undecodable } = sight
  if (isFenced) return { state: 'fenced', why: UNACKNOWLEDGED }
  if (moved.length > 0) return { state: 'void', why: `${wereMoved(moved)} since it was stored` }
  if (lost.length > 0) {
    const groups = lost.map((group) => group.slice(2)).join(', ')
    return {
      state: 'void',
      why: `Redis knows nothing of ${groups} any more (evicted), so that it counts as invalidated`,
    }
  }
  if (incompatible !== undefined) {
    return { state: 'incompatible', reason: incompatible, why: `this process cannot use it: ${incompatible}` }
  }
  if (undecodable !== undefined) return { state: 'undecodable', why: undecodable }
  const until = expired.length > 0 ? { ...sight, freshUntil: MADE_STALE } : sight
  return { state: judge(until, now), why: whyTimes(until, now, wereExpired(expired)) }
}

// ── Both ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Times {
  readonly createdAt: number
  readonly freshUntil: number
  readonly staleUntil: number
}

function timesOf(
  { createdAt, freshUntil, staleUntil }: Times,
  now: number,
): Pick<EntryInspection, 'age' | 'ttl' | 'stale'> {
  const staleFrom = Math.max(now, freshUntil)
  return {
    age: ageAt(createdAt, now),
    ttl: inJson(ttlAt(freshUntil, now)),
    stale: freshUntil === Number.POSITIVE_INFINITY ? 0 : inJson(ttlAt(staleUntil, staleFrom)),
  }
}

function inJson(ms: number): number | 'never' {
  return ms === Number.POSITIVE_INFINITY ? 'never' : ms
}

function versionOf(version: number | undefined): { version?: number } {
  return version === undefined ? {} : { version }
}

function whyTimes(times: Times, now: number, softly: string): string {
  const { ttl, stale, age } = timesOf(times, now)
  const stored = `stored ${inWords(age)} ago`
  switch (judge(times, now)) {
    case 'fresh':
      return ttl === 'never' ? `${stored}, fresh without an end` : `${stored}, fresh for ${inWords(ttl)} more`
    case 'stale': {
      const because = softly !== '' ? softly : times.freshUntil === MADE_STALE ? 'it was made stale' : 'its ttl is over'
      return `${stored}; ${because}; it may be served stale for ${inWords(stale)} more`
    }
    case 'expired':
      return `${stored}, and its time is over`
  }
}

function inWords(ms: number | 'never'): string {
  if (ms === 'never') return 'ever'
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

const TAG = tagGroup('')
const NAMESPACE = namespaceGroup('')

/** That these groups were made void since, in words. */
function wereMoved(groups: readonly string[]): string {
  const whats = groups.map((group) => {
    if (group.startsWith(TAG)) return `the tag ${tagIn(group)} was invalidated`
    if (group.startsWith(NAMESPACE)) return `the namespace ${group.slice(NAMESPACE.length)} was cleared`
    return 'notices of its bucket may have been missed (a gap)'
  })
  return whats.join(', ')
}

/** That these tags were made stale since, in words. */
function wereExpired(groups: readonly string[]): string {
  return groups.map((group) => `the tag ${tagIn(group)} was expired`).join(', ')
}

function tagIn(group: string): string {
  return JSON.stringify(group.slice(TAG.length))
}

function leaseInspection({ bus }: Parts, { word, leftMs, holder, isAwaited, failure }: LeaseSight): LeaseInspection {
  return {
    state: word,
    left: leftMs,
    ...(holder !== undefined && { holder }),
    isOurs: holder === bus.origin,
    awaited: isAwaited === true,
    ...(failure !== undefined && { failure }),
  }
}
