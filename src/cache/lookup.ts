import type { Entry } from '../entry/entry.ts'
import type { Freshness } from '../entry/freshness.ts'
import { judge, MADE_STALE } from '../entry/freshness.ts'
import type { RequestCounters } from '../counters/counters.ts'
import type { Incompatibility } from '../events.ts'
import type { Judgement } from '../tags/tag-index.ts'
import type { NearEntry } from '../tiers/near-entry.ts'
import type { Carried, Found, Seen } from '../tiers/tier.ts'
import type { EntrySettings } from './call-options.ts'
import type { Flight } from './flights.ts'
import { groupsOf, isNewerNear, isolate, land, standing } from './near.ts'
import type { Parts, Target } from './parts.ts'
import { checkCached, checkNear, isChecked } from './validity.ts'

/** What L1 has: an entry that it may answer with, and how it stands. */
export interface NearFound {
  readonly entry: NearEntry
  readonly freshness: 'fresh' | 'stale'
}

/** Looks into L1, for a reader of these settings. What it may never answer with again is dropped on the way. */
export function lookupNear(
  parts: Parts,
  target: Target,
  settings: EntrySettings,
  requests: RequestCounters,
): NearFound | undefined | Promise<NearFound | undefined> {
  const entry = parts.near?.get(target.id)
  const freshness = entry && standing(parts, entry, parts.clock.now())
  if (entry && (freshness === 'fresh' || freshness === 'stale')) {
    if (isChecked(entry, settings.schema)) return noted(requests, { entry, freshness })
    return checkNear(parts, target, entry, settings).then((checked) =>
      noted(requests, checked && { entry: checked, freshness }),
    )
  }
  if (freshness === 'void' || freshness === 'expired') parts.near?.delete(target.id)
  return noted(requests, undefined)
}

function noted(requests: RequestCounters, found: NearFound | undefined): NearFound | undefined {
  if (found?.freshness === 'fresh') requests.l1Fresh++
  else if (found) requests.l1Stale++
  else requests.l1Missing++
  return found
}

/** What is found in L2: an entry; or nothing that may be served. `seen` names what is there to the lease. */
export type FarLookup =
  | {
      readonly entry: Entry
      readonly shared: boolean
      readonly freshness: 'fresh' | 'stale'
      readonly seen: Seen
    }
  | {
      readonly entry: undefined
      readonly shared: false
      readonly freshness: undefined
      readonly seen: Seen | undefined
    }

const NOTHING = { entry: undefined, shared: false, freshness: undefined } as const

export type FoundEntry = Extract<Found, { word: 'entry' }>

/**
 * Looks into L2 and moves what it finds nearer, with the TTL that is left. Rejects when L2 cannot be asked. What has neither
 * tags nor a schema to pass, that is most of what there is, takes no turn of its own.
 */
export function lookupFar(
  parts: Parts,
  target: Target,
  flight: Flight,
  kept: EntrySettings,
  requests: RequestCounters,
): Promise<FarLookup> {
  const far = parts.shared?.far
  if (!far || parts.journal.fences(target.id, target.groups, target.bucket)) {
    return Promise.resolve({ ...NOTHING, seen: undefined })
  }
  return far.get(target, target.schemaVersion).then((found) => readFound(parts, target, flight, kept, requests, found))
}

/** What is found in L2, for a reader of these settings; see {@link lookupFar}. */
export function readFound(
  parts: Parts,
  target: Target,
  flight: Flight,
  kept: EntrySettings,
  requests: RequestCounters,
  found: Found,
): FarLookup | Promise<FarLookup> {
  if (found.word !== 'entry') return lookedInVain(parts, target, found, requests)
  if (mustBeJudged(parts, found) || kept.schema) return moveCheckedNearer(parts, target, flight, kept, requests, found)
  const { entry, sentAt } = found
  return moveNearer(parts, target, flight, kept, requests, found, entry, judge(entry, parts.clock.now()), sentAt)
}

function lookedInVain(
  parts: Parts,
  target: Target,
  found: Exclude<Found, { word: 'entry' }>,
  requests: RequestCounters,
): FarLookup {
  requests.l2Missing++
  if (found.word === 'missing') return { ...NOTHING, seen: undefined }
  if (found.word === 'incompatible') noteIncompatible(parts, target, found.reason)
  else if (typeof found.seen === 'string') void discard(parts, target, found.seen)
  return { ...NOTHING, seen: found.seen }
}

/** Whether more must be looked at than the entry itself. It may have been fenced since it was asked for. */
function mustBeJudged({ journal }: Parts, { tags }: FoundEntry): boolean {
  return tags.length > 0 || journal.size > 0
}

/** An entry with tags, or for a reader with a schema. */
async function moveCheckedNearer(
  parts: Parts,
  target: Target,
  flight: Flight,
  kept: EntrySettings,
  requests: RequestCounters,
  found: FoundEntry,
): Promise<FarLookup> {
  const { seen, sentAt } = found
  const now = parts.clock.now()
  const { verdict, asOf } = mustBeJudged(parts, found)
    ? await judgeTags(parts, target, found)
    : { verdict: 'holds', asOf: sentAt }
  const entry = verdict === 'stale' ? { ...found.entry, freshUntil: MADE_STALE } : found.entry
  const freshness = verdict === 'void' ? 'expired' : judge(entry, now)
  const { schema } = kept
  const mayServe = schema !== undefined && freshness !== 'expired'
  const checked = mayServe ? await checkCached(parts, target, entry.value, kept, 'l2') : entry
  if (!checked) {
    requests.l2Missing++
    return { ...NOTHING, seen }
  }
  const valid = schema ? { ...entry, value: checked.value } : entry
  return moveNearer(parts, target, flight, kept, requests, found, valid, freshness, Math.min(asOf, sentAt))
}

/** Counts an entry of L2, and keeps it here where it may be served. */
export function moveNearer(
  parts: Parts,
  target: Target,
  flight: Flight,
  { isolation, schema, l1TtlMs }: EntrySettings,
  requests: RequestCounters,
  { bytes, seen }: FoundEntry,
  entry: Entry,
  freshness: Freshness,
  asOf: number,
): FarLookup {
  if (freshness === 'expired') {
    requests.l2Missing++
    return { ...NOTHING, seen }
  }
  if (freshness === 'fresh') requests.l2Fresh++
  else requests.l2Stale++
  const shared = isolate(entry.value, isolation)
  if (!isNewerNear(parts, target, entry)) land(parts, target, flight, { entry, bytes, shared, schema, l1TtlMs, asOf })
  return { entry, shared, freshness, seen }
}

/** What the tags of an entry say of it: as L2 knows, and as this process knows better until L2 acknowledges. */
export async function judgeTags(
  parts: Parts,
  target: Target,
  { tags, tagStamps, n0, sentAt: asOf }: Carried,
): Promise<Judgement> {
  if (!parts.shared) return { verdict: 'holds', asOf }
  if (parts.journal.fences(target.id, groupsOf(target, tags), target.bucket)) return { verdict: 'void', asOf }
  return parts.shared.tags.judge(target.bucket, tags, tagStamps, n0)
}

/** Counts and tells an entry that is none for this process. */
function noteIncompatible({ counters, events }: Parts, { namespace, key }: Target, reason: Incompatibility): void {
  counters.incompatible++
  events.tell('incompatible', () => ({ namespace, key, reason }))
}

/** Removes bytes that cannot be read. They are a miss either way, so a failure to remove them changes nothing. */
async function discard(parts: Parts, target: Target, seen: Seen): Promise<void> {
  try {
    await parts.shared?.far.discard(target, seen)
  } catch {
    // Counted and told by the client.
  }
}
