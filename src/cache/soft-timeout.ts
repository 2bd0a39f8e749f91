import { Audience } from '../stampede/audience.ts'
import type { LoadRequest } from './load-request.ts'
import type { Parts } from './parts.ts'
import type { Answer } from './read-through.ts'
import { isLoading, readThrough, renewThrough } from './read-through.ts'
import { readAgain } from './servable.ts'
import { renewBehind } from './stale-while-revalidate.ts'
import { untilAborted, within } from './time-limit.ts'

/**
 * The story of a stale value whose caller would wait for a newer one: it gets that within `softTimeout`, or else what may be
 * served by then, and the load goes on behind.
 */
export async function newerInTime(parts: Parts, request: LoadRequest, groups: readonly string[]): Promise<Answer> {
  const { softTimeoutMs, signal } = request.settings
  const audience = new Audience()
  const leave = (reason?: unknown) => audience.leave(reason)
  const waited = within(parts.clock, newer(parts, { ...request, purpose: 'renew', audience }, groups), softTimeoutMs)
  const answer = await untilAborted(signal, waited, leave)
  if (answer?.loaded.freshness === 'fresh') return answer
  if (!audience.isDeserted) leave()
  // The stale value may be gone by now: deleted, or expired.
  const kept = await untilAborted(signal, readAgain(parts, request), () => {})
  return kept ? { loaded: kept, joined: false } : readThrough(parts, request)
}

/** What a renewal comes to, begun here or under way; `undefined` for nothing newer, also when none may be begun. */
async function newer(parts: Parts, request: LoadRequest, groups: readonly string[]): Promise<Answer | undefined> {
  const begun = renewBehind(parts, request, groups)
  if (begun || !isLoading(parts, request)) return begun
  // Its failure is for those who have nothing else.
  return renewThrough(parts, request).catch(() => undefined)
}
