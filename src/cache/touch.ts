import { prolonged } from '../entry/freshness.ts'
import type { Tier } from '../tiers/tier.ts'
import { unacknowledged } from './acknowledgement.ts'
import { standingFar } from './far-standing.ts'
import { forget, land, standing } from './near.ts'
import type { EntrySettings } from './call-options.ts'
import type { Parts, Target } from './parts.ts'
import type { Outcome } from './write-through.ts'

/** The new TTL of what has so many ms of its TTL left: `Infinity` without an end, 0 or less where it is stale. */
export type TtlFor = (leftMs: number) => number

/** The story of a new TTL for what is there. L2 is asked; L1 reads it again. What L1 alone has, it has in this process. */
export async function touchThrough(
  parts: Parts,
  target: Target,
  kept: EntrySettings,
  ttlFor: TtlFor,
): Promise<Outcome & { readonly found: boolean }> {
  const isNearOnly = kept.tiers === 'l1' || parts.near?.peek(target.id)?.tiers === 'l1'
  if (!parts.shared || isNearOnly) return { acknowledged: true, found: touchNear(parts, target, kept, ttlFor) }
  forget(parts, target, 'touch')
  try {
    return { acknowledged: true, found: await touchFar(parts, parts.shared.far, target, ttlFor) }
  } catch (error) {
    // Counted and told by the client. Nothing was lost: what is there keeps its old deadlines, or has the new ones.
    return unacknowledged(error, { found: false })
  } finally {
    forget(parts, target, 'touch')
  }
}

/** What carries a stamp must not outlive it, and only the entry itself says which stamps it carries. */
async function touchFar(parts: Parts, far: Tier, target: Target, ttlFor: TtlFor): Promise<boolean> {
  const there = await standingFar(parts, far, target)
  if (there === undefined || there.verdict === 'void') return false
  return far.touch(target, there.tags, ttlFor(there.freshUntil - parts.clock.now()))
}

function touchNear(parts: Parts, target: Target, kept: EntrySettings, ttlFor: TtlFor): boolean {
  const now = parts.clock.now()
  const entry = parts.near?.get(target.id)
  const freshness = entry && standing(parts, entry, now)
  if (!entry || (freshness !== 'fresh' && freshness !== 'stale')) return false
  const flight = parts.flights.open(target.id, parts.marks.count)
  const { value, createdAt, loadMs, version, tags, bytes, shared, tiers, schema, asOf } = entry
  const touched = { value, createdAt, loadMs, version, tags, ...prolonged(entry, now, ttlFor(entry.freshUntil - now)) }
  land(parts, target, flight, { entry: touched, bytes, shared, tiers, schema, l1TtlMs: kept.l1TtlMs, asOf })
  parts.flights.close(flight)
  return true
}
