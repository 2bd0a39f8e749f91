import { deltaSeconds, leastSeconds, parseCacheControl } from './cache-control.ts'
import { requestField } from './message.ts'
import { ageSeconds, ttlSeconds } from './stored-response.ts'
import type { CacheControl } from './cache-control.ts'
import type { HttpRequest } from './message.ts'
import type { HttpSettings } from './options.ts'
import type { StoredResponse } from './stored-response.ts'

/**
 * What a stored response, fresh as far as the tiers know, is to a request (RFC 9111, section 4).
 *
 * - `serve`: its answer.
 * - `authorization`: nothing; the request has credentials, and the response does not say that it may be shared.
 * - `request`: nothing; the request wants a newer one.
 * - `mismatch`: nothing; it answers another resource (a corrupt store, or a collision).
 */
export type Reuse = 'serve' | 'authorization' | 'request' | 'mismatch'

export function mayReuse(
  request: HttpRequest,
  resource: string,
  stored: StoredResponse,
  settings: HttpSettings,
  now: number,
): Reuse {
  if (stored.resource !== resource) return 'mismatch'
  if (request.headers.authorization !== undefined && !stored.forAuthorized) return 'authorization'
  if (settings.clientDirectives !== 'ignore' && request.headers['cache-control'] !== undefined) {
    const control = parseCacheControl(requestField(request.headers, 'cache-control'))
    if (!accepts(control, stored, settings, now)) return 'request'
  }
  return 'serve'
}

/** Whether the request's own directives accept the stored response (section 5.2.1); `max-stale` has no use yet. */
function accepts(control: CacheControl, stored: StoredResponse, settings: HttpSettings, now: number): boolean {
  if (control.has('no-cache')) return false
  const maxAge = leastSeconds(control, 'max-age')
  if (settings.clientDirectives === 'validate') return maxAge !== 0
  if (maxAge !== undefined && ageSeconds(stored, now) > maxAge) return false
  const minFresh = Math.max(0, ...(control.get('min-fresh') ?? []).map((text) => deltaSeconds(text) ?? 0))
  return ttlSeconds(stored, now) >= minFresh
}
