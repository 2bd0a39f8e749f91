import type { Parts } from './parts.ts'
import type { LoadRequest } from './read-through.ts'
import { readThrough } from './read-through.ts'

/** The most renewals that run behind stale values at one time; further ones wait for the next reader. */
const RENEWALS_MOST = 16

/** The story of a stale hit: its caller has been served; a newer value is loaded behind it, once. */
export function renewBehind(parts: Parts, request: LoadRequest): void {
  if (parts.renewals >= RENEWALS_MOST || parts.loads.joinable(request.target.id)) return
  parts.renewals++
  readThrough(parts, { ...request, purpose: 'renew' })
    .catch((error: unknown) => {
      const { namespace, key } = request.target
      parts.counters.renewalsFailed++
      parts.events.tell('renewal-failed', () => ({ namespace, key, error }))
    })
    .finally(() => {
      parts.renewals--
    })
}
