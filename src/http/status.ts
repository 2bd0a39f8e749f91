/** Heuristically cacheable (RFC 9110, section 15.1), and no failure. 206 is not among them: parts are not stored. */
export const CACHEABLE_SUCCESSES: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308])

/** Failures that are heuristically cacheable. */
export const CACHEABLE_FAILURES: ReadonlySet<number> = new Set([404, 405, 410, 414, 501])

/** Statuses whose meaning for caches we know (RFC 9111, section 5.2.2.3). */
export const UNDERSTOOD: ReadonlySet<number> = new Set([
  ...CACHEABLE_SUCCESSES,
  ...CACHEABLE_FAILURES,
  302,
  303,
  307,
  451,
])
