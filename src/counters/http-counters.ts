/**
 * How requests to a response cache are answered.
 *
 * - `hit`: by a fresh stored response. `stale`: by one that is past its lifetime, while it is revalidated or in place of an
 *   error.
 * - `revalidated`: by one that the application has just confirmed.
 * - `collapsed`: by the response to another request that came at the same time.
 * - `miss`: by the application, for want of a stored response that would do. `bypass`: by the application, as the cache was not
 *   to deal with it.
 */
export const httpOutcomes = ['hit', 'stale', 'revalidated', 'collapsed', 'miss', 'bypass'] as const
export type HttpOutcome = (typeof httpOutcomes)[number]

/** Why a response is not stored, or the cache not asked: the words of `detail` in Cache-Status. */
export const httpRefusals = [
  ...['authorization', 'client-certificate', 'cookie', 'set-cookie', 'audit', 'deception', 'tags', 'too-many-tags'],
  ...[
    'status',
    'no-store',
    'private',
    'no-cache',
    'vary',
    'coding',
    'no-vary-search',
    'endless',
    'trailers',
    'no-lifetime',
    'zero-lifetime',
    'expired',
    'too-large',
  ],
  ...['skip', 'first-sight', 'head', 'range', 'request-no-store', 'x-forwarded-host', 'x-forwarded-proto'],
  ...['method', 'precondition', 'request-body', 'override', 'mismatch', 'default-port', 'length'],
  ...['target', 'target-length', 'query-parameters', 'content'],
] as const

/** What makes responses invalid: the answer to an unsafe method, or a purge by URL, tag or group. */
export const httpInvalidators = ['method', 'url', 'tag', 'group'] as const

/** What response caches have done over one cache. */
export class HttpCounters {
  readonly outcomes = zeros(httpOutcomes)
  /** Reasons that are none of {@link httpRefusals} count together. */
  readonly refusals: Record<string, number> = zeros([...httpRefusals, 'other'])
  readonly invalidations = zeros(httpInvalidators)

  refused(reason: string): void {
    const name = Object.hasOwn(this.refusals, reason) ? reason : 'other'
    this.refusals[name] = (this.refusals[name] as number) + 1
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
}
