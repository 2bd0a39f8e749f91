import { deltaSeconds, leastSeconds, NO_DIRECTIVES, parseCacheControl } from './cache-control.ts'
import { isAuthorized, requestField } from './message.ts'
import { ageSeconds, staleMs, ttlSeconds } from './stored-response.ts'
import { controlOf } from './targeted.ts'
import type { CacheControl } from './cache-control.ts'
import type { HttpRequest } from './message.ts'
import type { HttpSettings } from './settings.ts'
import type { StoredResponse } from './stored-response.ts'

/**
 * What a stored response is to a request (RFC 9111, section 4).
 *
 * - `serve`: its answer.
 * - `serve-and-revalidate`: its answer, and a newer one is to be made behind it (RFC 5861, section 3).
 * - `revalidate`: its answer if the application confirms it: it is stale, or the request wants a newer one.
 * - `authorization`: nothing; the request has credentials, and the response does not say that it may be shared.
 * - `mismatch`: nothing; it answers another resource (a corrupt store, or a collision).
 */
export type Reuse = 'serve' | 'serve-and-revalidate' | 'revalidate' | 'authorization' | 'mismatch'

/** How the tiers see a stored response: as `stale`, too, once it was expired by hand. */
export type Freshness = 'fresh' | 'stale'

/** Decides what a stored response is to a request at an instant. */
export function mayReuse(
  request: HttpRequest,
  resource: string,
  stored: StoredResponse,
  freshness: Freshness,
  settings: HttpSettings,
  now: number,
): Reuse {
  if (stored.resource !== resource) return 'mismatch'
  if (isAuthorized(request) && !stored.forAuthorized) return 'authorization'
  const control = directivesOf(request, settings)
  if (control.size > 0 && !accepts(control, stored, settings, now)) return 'revalidate'
  if (isFresh(stored, freshness, now)) return 'serve'
  if (stored.mustRevalidate) return 'revalidate'
  const pastMs = staleMs(stored, now)
  if (pastMs <= toleratedMs(control, settings)) return 'serve'
  return pastMs < stored.whileRevalidateMs ? 'serve-and-revalidate' : 'revalidate'
}

/** Whether a stored response is fresh: for the tiers, and by its own lifetime (RFC 9111, section 4.2). */
export function isFresh(stored: StoredResponse, freshness: Freshness, now: number): boolean {
  return freshness === 'fresh' && now < stored.freshUntil
}

/**
 * Whether a stale response may be served in place of an error (RFC 5861, section 4): as the response or the options say, or
 * the request, where clients are obeyed.
 */
export function mayServeOnError(
  request: HttpRequest,
  stored: StoredResponse,
  settings: HttpSettings,
  now: number,
): boolean {
  if (stored.mustRevalidate) return false
  const asked =
    settings.clientDirectives === 'obey' ? leastSeconds(directivesOf(request, settings), 'stale-if-error') : undefined
  const pastMs = staleMs(stored, now)
  return pastMs < stored.ifErrorMs || (asked !== undefined && pastMs < asked * 1000)
}

/** The statuses that a stale response may stand in for (RFC 5861, section 4). */
export function isError(status: number): boolean {
  return status === 500 || status === 502 || status === 503 || status === 504
}

function directivesOf({ headers }: HttpRequest, settings: HttpSettings): CacheControl {
  if (settings.clientDirectives === 'ignore' || headers['cache-control'] === undefined) return NO_DIRECTIVES
  return parseCacheControl(requestField(headers, 'cache-control'))
}

/** Whether the request's own directives let a stored response do without a validation (section 5.2.1). */
function accepts(control: CacheControl, stored: StoredResponse, settings: HttpSettings, now: number): boolean {
  if (control.has('no-cache')) return false
  const said = leastSeconds(control, 'max-age')
  const maxAge = said === 0 && isImmutable(stored, settings, now) ? undefined : said
  if (settings.clientDirectives === 'validate') return maxAge !== 0
  if (maxAge !== undefined && ageSeconds(stored, now) > maxAge) return false
  const minFresh = Math.max(0, ...(control.get('min-fresh') ?? []).map((text) => deltaSeconds(text) ?? 0))
  return minFresh === 0 || ttlSeconds(stored, now) >= minFresh
}

/** Whether it is known not to change while it is fresh, so that a reload (`max-age=0`) need not ask (RFC 8246, section 2). */
function isImmutable({ fields, unsent, freshUntil }: StoredResponse, settings: HttpSettings, now: number): boolean {
  return now < freshUntil && controlOf([...fields, ...unsent], settings).directives.has('immutable')
}

/**
 * How stale a response the request takes at most (`max-stale`, section 5.2.1.2): without an argument, however stale; without
 * the directive, not at all, which less than nothing tells from `max-stale=0`.
 */
function toleratedMs(control: CacheControl, settings: HttpSettings): number {
  const args = settings.clientDirectives === 'obey' ? control.get('max-stale') : undefined
  if (!args) return Number.NEGATIVE_INFINITY
  const seconds = args.map((text) => (text === undefined ? Number.POSITIVE_INFINITY : (deltaSeconds(text) ?? 0)))
  return Math.min(...seconds) * 1000
}
