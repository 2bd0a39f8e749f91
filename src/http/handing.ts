import { variantsTag } from './response-store.ts'
import type { FaceContext } from '../cache/load-context.ts'
import type { HttpParts, Kept, Variants } from './response-store.ts'
import type { StoredResponse } from './stored-response.ts'
import type { Place } from './visit.ts'

/** The rule of a resource outlives its variants, so that the younger ones are not lost with the first. */
export const RULE_MS = 24 * 3_600_000

/** Longer than it takes to store a response, most often. */
const STORING_MS = 100

/** Hands to the core what it is to keep, and for how long. */
export function hand(parts: HttpParts, { rule }: Place, flight: FaceContext, shared: Kept): Kept {
  switch (shared.kind) {
    case 'response':
      flight.setTtl(ttlOf(parts, shared))
      flight.setStale(shared.retentionMs)
      flight.setTags(...tagsOf(shared, rule))
      break
    case 'variants':
      flight.setTtl(RULE_MS)
      flight.setTags(...shared.tags)
      break
    case 'again':
      flight.skip('next')
      break
    case 'unshareable':
      flight.skip('each')
      break
    default:
      shared satisfies never
  }
  return shared
}

/** The tags of a stored response; a variant has also that of all variants under its rule. */
export function tagsOf({ tags }: StoredResponse, rule: Variants | undefined): string[] {
  return rule ? [...tags, variantsTag(rule)] : [...tags]
}

/**
 * For how long the tiers call it fresh: a little less than it is, as they count from the end of its storing. Where they called
 * it fresh after its lifetime, nobody would renew it behind its readers.
 */
export function ttlOf(parts: HttpParts, stored: StoredResponse): number {
  const left = leftMs(parts, stored)
  return left - Math.min(STORING_MS, left / 100)
}

/** How long it is still fresh by its own lifetime. */
export function leftMs({ clock }: HttpParts, stored: StoredResponse): number {
  return Math.max(0, stored.freshUntil - clock.wall())
}
