import type { Refusal } from './storable.ts'

/**
 * Whether a response that is not stored takes the place of what was stored all the same: it is the application's answer now, and
 * the older one is not suitable any more (RFC 9111, section 4.3.3). Not so where it says nothing of the page: a failure, which
 * may be over in a moment, or a refusal on account of who has asked, or how.
 */
export function supersedes(status: number, refusal: string): boolean {
  return status < 500 && !PASSING.has(status) && OF_THE_RESPONSE.has(refusal)
}

/** Timeout, too early, too many requests. */
const PASSING = new Set([408, 425, 429])

/** Refusals on account of what the response says, to whomever. */
const OF_THE_RESPONSE: ReadonlySet<string> = new Set<Refusal>([
  'no-store',
  'private',
  'no-cache',
  'set-cookie',
  'vary',
  'endless',
  'trailers',
  'no-lifetime',
  'expired',
  'zero-lifetime',
  'too-large',
])
