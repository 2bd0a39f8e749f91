import type { Entry } from '../entry/entry.ts'
import { judge, MADE_STALE } from '../entry/freshness.ts'
import type { Incompatibility, RequestCounters } from '../events.ts'
import type { Judgement } from '../tags/tag-index.ts'
import type { Carried, NearEntry, Seen } from '../tiers/tier.ts'
import type { EntrySettings } from './call-options.ts'
import type { Flight } from './flights.ts'
import { groupsOf, isolate, land, standing } from './near.ts'
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

/**
 * Looks into L2 and moves what it finds nearer, with the TTL that is left. Rejects when L2 cannot be asked.
 */
export async function lookupFar(
  parts: Parts,
  target: Target,
  flight: Flight,
  kept: EntrySettings,
  requests: RequestCounters,
): Promise<FarLookup> {
  const far = parts.shared?.far
  if (!far || parts.journal.fences(target.id, target.groups, target.bucket)) return { ...NOTHING, seen: undefined }
  const found = await far.get(target, target.schemaVersion)
  if (found.word === 'incompatible') {
    requests.l2Missing++
    noteIncompatible(parts, target, found.reason)
    return { ...NOTHING, seen: found.seen }
  }
  if (found.word !== 'entry') {
    requests.l2Missing++
    if (found.word === 'void' && typeof found.seen === 'string') void discard(parts, target, found.seen)
    return { ...NOTHING, seen: found.word === 'void' ? found.seen : undefined }
  }
  const { bytes, seen, sentAt } = found
  const now = parts.clock.now()
  const { verdict, asOf } =
    found.tags.length === 0 ? { verdict: 'holds', asOf: sentAt } : await judgeTags(parts, target, found)
  const entry = verdict === 'stale' ? { ...found.entry, freshUntil: MADE_STALE } : found.entry
  const freshness = judge(entry, now)
  if (verdict === 'void' || freshness === 'expired') {
    requests.l2Missing++
    return { ...NOTHING, seen }
  }
  const { schema, l1TtlMs } = kept
  const checked = schema ? await checkCached(parts, target, entry.value, kept, 'l2') : entry
  if (!checked) {
    requests.l2Missing++
    return { ...NOTHING, seen }
  }
  if (freshness === 'fresh') requests.l2Fresh++
  else requests.l2Stale++
  const valid = schema ? { ...entry, value: checked.value } : entry
  const shared = isolate(valid.value, kept.isolation)
  land(parts, target, flight, { entry: valid, bytes, shared, schema, l1TtlMs, asOf: Math.min(asOf, sentAt) })
  return { entry: valid, shared, freshness, seen }
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
