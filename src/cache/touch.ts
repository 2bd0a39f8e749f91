import { prolonged } from '../entry/freshness.ts'
import type { Tier } from '../tiers/tier.ts'
import { unacknowledged } from './acknowledgement.ts'
import { standingFar } from './far-standing.ts'
import { forget, land, standing } from './near.ts'
import type { EntrySettings } from './call-options.ts'
import type { Parts, Target } from './parts.ts'
import type { Outcome } from './write-through.ts'

/** The story of a new TTL for what is there. L2 is asked; L1 reads it again. What L1 alone has, it has in this process. */
export async function touchThrough(
  parts: Parts,
  target: Target,
  kept: EntrySettings,
): Promise<Outcome & { readonly found: boolean }> {
  const isNearOnly = kept.tiers === 'l1' || parts.near?.peek(target.id)?.tiers === 'l1'
  if (!parts.shared || isNearOnly) return { acknowledged: true, found: touchNear(parts, target, kept) }
  forget(parts, target, 'touch')
  try {
    return { acknowledged: true, found: await touchFar(parts, parts.shared.far, target, kept.ttlMs) }
  } catch (error) {
    // Counted and told by the client. Nothing was lost: what is there keeps its old deadlines, or has the new ones.
    return unacknowledged(error, { found: false })
  } finally {
    forget(parts, target, 'touch')
  }
}

/** What carries a stamp must not outlive it, and only the entry itself says which stamps it carries. */
async function touchFar(parts: Parts, far: Tier, target: Target, ttlMs: number): Promise<boolean> {
  const there = await standingFar(parts, far, target)
  return there !== undefined && there.verdict !== 'void' && far.touch(target, there.tags, ttlMs)
}

function touchNear(parts: Parts, target: Target, kept: EntrySettings): boolean {
  const now = parts.clock.now()
  const entry = parts.near?.get(target.id)
  const freshness = entry && standing(parts, entry, now)
  if (!entry || (freshness !== 'fresh' && freshness !== 'stale')) return false
  const flight = parts.flights.open(target.id, parts.marks.count)
  const { value, createdAt, loadMs, version, tags, bytes, shared, tiers, schema, asOf } = entry
  const touched = { value, createdAt, loadMs, version, tags, ...prolonged(entry, now, kept.ttlMs) }
  land(parts, target, flight, { entry: touched, bytes, shared, tiers, schema, l1TtlMs: kept.l1TtlMs, asOf })
  parts.flights.close(flight)
  return true
}
