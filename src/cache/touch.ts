import { forget, land, standing } from './near.ts'
import type { EntrySettings } from './options.ts'
import type { Parts, Target } from './parts.ts'
import type { Outcome } from './write-through.ts'

/** The story of new deadlines for what is there. L2 is asked; L1 reads it again. */
export async function touchThrough(
  parts: Parts,
  target: Target,
  kept: EntrySettings,
): Promise<Outcome & { readonly found: boolean }> {
  if (!parts.shared) return { acknowledged: true, found: touchNear(parts, target, kept) }
  forget(parts, target, 'touch')
  try {
    return { acknowledged: true, found: await parts.shared.far.touch(target, kept.ttlMs, kept.staleMs) }
  } catch {
    // Counted and told by the client. Nothing was lost: what is there keeps its old deadlines, or has the new ones.
    return { acknowledged: false, found: false }
  } finally {
    forget(parts, target, 'touch')
  }
}

function touchNear(parts: Parts, target: Target, kept: EntrySettings): boolean {
  const now = parts.clock.now()
  const entry = parts.near?.get(target.id)
  const freshness = entry && standing(parts, entry, now)
  if (!entry || (freshness !== 'fresh' && freshness !== 'stale')) return false
  const flight = parts.flights.open(target.id, parts.marks.count)
  const freshUntil = now + kept.ttlMs
  const { bytes, shared } = entry
  const touched = { ...entry, freshUntil, staleUntil: freshUntil + kept.staleMs }
  land(parts, target, flight, { entry: touched, bytes, shared, l1TtlMs: kept.l1TtlMs, asOf: now })
  parts.flights.close(flight)
  return true
}
