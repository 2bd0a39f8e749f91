import type { Lifetime } from '../entry/refresh-ahead.ts'
import { dueFor } from '../entry/refresh-ahead.ts'
import type { NearEntry } from '../tiers/near-entry.ts'
import type { LoadRequest } from './load-request.ts'
import type { Loaded, Parts } from './parts.ts'
import { renewBehind } from './stale-while-revalidate.ts'

/**
 * The story of a fresh hit in L1 whose reader has `refreshAhead`: it is renewed behind its reader if that is due. L1 notes
 * until when such a reader need not come here.
 */
export function renewNearAhead(parts: Parts, request: LoadRequest, near: NearEntry): void {
  const { refreshAhead } = request.settings
  if (refreshAhead === false) return
  const { createdAt, ttlUntil = near.freshUntil, loadMs, groups } = near
  const lifetime = { createdAt, ttlUntil, loadMs }
  near.calm(refreshAhead)
  renewIfDue(parts, request, lifetime, groups)
}

/** The same for a hit in L2. */
export function renewFarAhead(parts: Parts, request: LoadRequest, found: Loaded): void {
  const { createdAt, freshUntil: ttlUntil, loadMs = 0, groups } = found
  if (request.settings.refreshAhead !== false && found.failure === undefined)
    renewIfDue(parts, request, { createdAt, ttlUntil, loadMs }, groups)
}

/**
 * What L2 has is judged in the same way, with the same draw: where another process has renewed it, that one is taken.
 */
function renewIfDue(parts: Parts, request: LoadRequest, lifetime: Lifetime, groups: readonly string[]): void {
  const { clock } = parts
  const { refreshAhead } = request.settings
  const isDue = dueFor(refreshAhead, clock.now(), refreshAhead === 'auto' ? clock.random() : 0)
  if (isDue(lifetime)) void renewBehind(parts, { ...request, isDue }, groups)
}
