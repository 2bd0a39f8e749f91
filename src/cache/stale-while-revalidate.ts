import type { LoadRequest } from './loader.ts'
import type { Parts } from './parts.ts'
import { noteRenewalFailed, readThrough } from './read-through.ts'

/** The most renewals that run behind stale values at one time; further ones wait for the next reader. */
const RENEWALS_MOST = 16

/** The story of a stale hit: its caller has been served; a newer value is loaded behind it, once. */
export function renewBehind(parts: Parts, request: LoadRequest): void {
  const { renewing, loads } = parts
  const { id } = request.target
  if (renewing.size >= RENEWALS_MOST || renewing.has(id) || loads.joinable(id)) return
  renewing.add(id)
  readThrough(parts, { ...request, purpose: 'renew' })
    .catch((error: unknown) => noteRenewalFailed(parts, request.target, error))
    .finally(() => renewing.delete(id))
}
