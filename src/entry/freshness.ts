/**
 * How an entry stands at an instant.
 *
 * - `fresh`: serve it.
 * - `stale`: serve it, and load a new value behind it.
 * - `expired`: never serve it.
 */
export type Freshness = 'fresh' | 'stale' | 'expired'

/** Judges an entry by its own two deadlines. `now` is the caller's clock. */
export function judge(entry: { readonly freshUntil: number; readonly staleUntil: number }, now: number): Freshness {
  if (now < entry.freshUntil) return 'fresh'
  if (now < entry.staleUntil) return 'stale'
  return 'expired'
}
