import { isMarked, lead, renew } from './leading.ts'
import { isAuthorized } from './message.ts'
import { asKept, bytesOf } from './response-store.ts'
import { passBy, passOn, refusedAs, serve, serveCollapsed, sight, standsIn } from './serving.ts'
import { isRenewedRule, renewRule } from './variant-rule.ts'
import { missReason, resourcePlace, variantPlace, withoutClient } from './visit.ts'
import type { Offer } from '../cache/load-request.ts'
import type { ForwardReason } from './cache-status.ts'
import type { Found, HttpParts, Kept } from './response-store.ts'
import type { Sighting } from './serving.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Place, Visit } from './visit.ts'

/** A leader that is cut off is followed by another; after so many rounds everyone goes to the application. */
const MOST_ROUNDS = 8

/**
 * The story of a request that L1 had no answer for at once: what is stored, fresh or stale, may answer it; else one of those
 * who ask for the same leads, runs the handler and is served while it writes; the others wait for what the cache can keep of
 * it, though not for a body that streams on.
 *
 * The load of a resource finds out whether it has variants. If so, what stands under its key is a rule with a nonce,
 * and the response under a key made of the rule and the request's own fields. Dropping the rule makes all variants
 * unreachable, also one that comes late, because of this order of events:
 *   A: misses the variant `en`; the handler reads v1
 *   B: the database gets v2; the resource is invalidated: the rule is gone
 *   A: stores v1 as the variant of the old nonce
 *   C: finds no rule; loads v2 and makes a rule with a new nonce, under which nothing is stored
 */
export async function fill(parts: HttpParts, visit: Visit): Promise<void> {
  let place = resourcePlace(visit)
  let collapsed = false
  let reason = missReason(place)
  let refused: Sighting | undefined
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const asking = new Asking(parts, visit, place)
    const found = await asking.answer()
    if (asking.leads) return
    reason = asking.reason()
    refused = asking.refused
    if (found === undefined || found.value.kind === 'unshareable') break
    collapsed ||= found.joined && found.tier === 'loader' && !isRenewedRule(found.value)
    if (found.value.kind === 'response') {
      const sighting = asking.sightingOf(found.value, found)
      return use(parts, visit, found, sighting, collapsed ? reason : undefined)
    }
    // It has waited once, for a response that was late: that is enough.
    if (collapsed && isMarked(parts, visit)) break
    place = found.value.kind === 'variants' ? variantPlace(parts, visit, found.value) : resourcePlace(visit)
  }
  if (refused) passBy(parts, visit, refused)
  else passOn(parts, visit, reason)
}

/** One lookup, or flight, or load. */
class Asking {
  readonly #parts: HttpParts
  readonly #visit: Visit
  readonly #place: Place
  /** The stored response that was judged last. */
  #sighting: Sighting | undefined
  /** The one that was not taken, or is to be renewed. */
  refused: Sighting | undefined
  /** On which what is served stale is renewed. */
  #clientless: Visit | undefined
  /** Whether this visit's own handler was run: then its client is served, whatever becomes of the load. */
  leads = false

  constructor(parts: HttpParts, visit: Visit, place: Place) {
    this.#parts = parts
    this.#visit = visit
    this.#place = place
  }

  /** `undefined`: the cache failed or holds garbage, or too many wait; the application answers. */
  async answer(): Promise<Found | undefined> {
    const parts = this.#parts
    const { key } = this.#place
    if (!parts.followers.join(key)) return undefined
    try {
      const found = await parts.door.seek<Kept>(
        key,
        (flight) => {
          const rule = renewRule(parts, flight)
          if (rule) return rule
          this.leads = true
          return lead(parts, this.#visit, this.#place, flight, this.reason())
        },
        {
          accepts: (offer) => this.#accepts(offer),
          behind: (flight) => renew(parts, this.#clientless, this.#place, flight, this.reason()),
          waitTimeoutMs: this.#waitTimeoutMs(),
          bytesOf,
        },
      )
      if (this.leads || asKept(found.value)) return found
      await parts.store.delete(key)
    } catch {
      // A load that failed or outlived its deadline, or a cache that was closed: the core has told it as an event or error.
    } finally {
      parts.followers.leave(key)
    }
    return undefined
  }

  /** Why the application is asked: what was found is not fresh enough, or there is nothing. */
  reason(): ForwardReason {
    return this.refused ? refusedAs(this.#parts, this.refused) : missReason(this.#place)
  }

  /** How what was found was judged when it was taken. */
  sightingOf(stored: StoredResponse, { freshness }: Found): Sighting {
    if (this.#sighting?.stored === stored) return this.#sighting
    return sight(this.#parts, this.#visit, stored, freshness)
  }

  /** Nobody is kept waiting for what is likely not to be shared: Authorization makes it so. */
  #waitTimeoutMs(): number | undefined {
    return isMarked(this.#parts, this.#visit) || isAuthorized(this.#visit.request) ? 0 : undefined
  }

  /** What is taken of what the core offers. What may answer nobody with these credentials is taken for what it is. */
  #accepts({ value, freshness, failed }: Offer): boolean {
    const kept = asKept(value)
    if (kept?.kind === 'variants') return freshness === 'fresh'
    if (kept?.kind !== 'response') return true
    const sighting = sight(this.#parts, this.#visit, kept, freshness)
    this.#sighting = sighting
    switch (sighting.reuse) {
      case 'revalidate':
        this.refused = sighting
        return failed && standsIn(this.#parts, this.#visit, sighting)
      case 'serve-and-revalidate':
        this.refused = sighting
        if (failed && standsIn(this.#parts, this.#visit, sighting)) return true
        // By another clock than ours it is fresh, and nobody would renew it.
        if (freshness === 'fresh') return false
        this.#clientless ??= withoutClient(this.#parts, this.#visit, this.#place)
        return this.#clientless !== undefined
      default:
        return true
    }
  }
}

/** Answers from what was found and taken; `collapsedFor`: why the application made it, for another request at the same time. */
function use(
  parts: HttpParts,
  visit: Visit,
  found: Found,
  sighting: Sighting,
  collapsedFor: ForwardReason | undefined,
): void {
  switch (sighting.reuse) {
    case 'serve':
    case 'serve-and-revalidate':
      if (found.failed && sighting.reuse !== 'serve') serveCollapsed(parts, visit, sighting, 'stale', 'stale-if-error')
      else if (collapsedFor) serveCollapsed(parts, visit, sighting, collapsedFor)
      else serve(parts, visit, sighting, found.tier === 'l1' ? 'L1' : 'L2')
      break
    case 'revalidate':
      if (found.failed) serveCollapsed(parts, visit, sighting, 'stale', 'stale-if-error')
      else passBy(parts, visit, sighting)
      break
    case 'authorization':
    case 'mismatch':
      passBy(parts, visit, sighting)
      break
    default:
      sighting.reuse satisfies never
  }
}
