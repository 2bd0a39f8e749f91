import { mayFillWhole, ONLY_IF_CACHED } from './admission.ts'
import { GATEWAY_TIMEOUT } from './answer.ts'
import { renew } from './leading.ts'
import { fill } from './filling.ts'
import { asKept, bytesOf } from './response-store.ts'
import { passBy, passOn, serve, sight } from './serving.ts'
import { resourcePlace, variantPlace, withoutClient } from './visit.ts'
import type { CacheEntry } from '../cache/read-entry.ts'
import type { Admission } from './admission.ts'
import type { HttpParts, Kept } from './response-store.ts'
import type { Sighting } from './serving.ts'
import type { Place, Visit } from './visit.ts'

/** A stored response, where it stands and in which tier. */
interface Look {
  readonly sighting: Sighting
  readonly place: Place
  readonly tier: 'l1' | 'l2'
}

/** The story of a request that may be answered from the store, and whose own response is not stored. */
export async function read(parts: HttpParts, visit: Visit, admission: Admission): Promise<void> {
  const look = await lookFor(parts, visit)
  const { exchange } = visit
  switch (look?.sighting.reuse) {
    case 'serve':
      return serve(parts, visit, look.sighting, look.tier === 'l1' ? 'L1' : 'L2')
    case 'serve-and-revalidate':
      if (mayFillWhole(admission, visit.request)) renewBehind(parts, visit, look.place)
      return serve(parts, visit, look.sighting, look.tier === 'l1' ? 'L1' : 'L2')
    case 'revalidate':
      // A range of what is stored: the application may confirm it, and need not send all of it again.
      if (visit.request.method !== 'HEAD' && mayFillWhole(admission, visit.request)) return fill(parts, visit)
  }
  if (admission === ONLY_IF_CACHED) {
    parts.tally.answered('miss')
    exchange.answer(GATEWAY_TIMEOUT)
  } else if (look) passBy(parts, visit, look.sighting)
  else passOn(parts, visit, 'uri-miss', admission.detail)
}

/** What the tiers have for a request, fresh or stale. `undefined`: nothing, or the cache failed. */
async function lookFor(parts: HttpParts, visit: Visit): Promise<Look | undefined> {
  try {
    let place = resourcePlace(visit)
    let entry = await parts.store.getEntry<Kept>(place.key)
    const rule = asKept(entry?.value)
    if (rule?.kind === 'variants') {
      const isStale = entry?.freshness === 'stale'
      place = variantPlace(parts, visit, rule)
      entry = await parts.store.getEntry<Kept>(place.key)
      // A variant may have come after what made its rule stale.
      if (isStale) entry &&= { ...entry, freshness: 'stale' }
    }
    return entry && lookAt(parts, visit, place, entry)
  } catch {
    // A closed cache: the application answers.
    return undefined
  }
}

function lookAt(
  parts: HttpParts,
  visit: Visit,
  place: Place,
  { value, freshness, tier }: CacheEntry<Kept>,
): Look | undefined {
  const kept = asKept(value)
  if (kept?.kind !== 'response') return undefined
  return { sighting: sight(parts, visit, kept, freshness), place, tier }
}

/** Has a stale response renewed that is about to be served. What becomes of that is told as an event. */
function renewBehind(parts: HttpParts, visit: Visit, place: Place): void {
  const clientless = withoutClient(parts, visit, place)
  if (!clientless) return
  const nothing = (): never => {
    throw new Error('what was to be renewed is gone')
  }
  const behind: Parameters<typeof parts.door.seek<Kept>>[1] = (flight) =>
    renew(parts, clientless, place, flight, 'stale')
  parts.door.seek<Kept>(place.key, nothing, { accepts: () => true, behind, bytesOf }).catch(() => {})
}
