/** How early values are renewed behind their readers: past a fraction of their ttl, by chance (`'auto'`), or not at all. */
export type RefreshAhead = number | 'auto' | false

/** What an early renewal is judged by. Instants are on one clock. */
export interface Lifetime {
  readonly createdAt: number
  /** When its ttl is over, in whatever tier. */
  readonly ttlUntil: number
  readonly loadMs: number
}

/**
 * With `'auto'`, so many load times before the end of a value its renewal becomes possible. Of readers that come before
 * that, one in a billion would renew it.
 */
const LOAD_TIMES_MOST = 20

/** Until when no reader renews a value. */
export function calmUntil({ createdAt, ttlUntil, loadMs }: Lifetime, ahead: RefreshAhead): number {
  if (ahead === false) return Number.POSITIVE_INFINITY
  if (ahead === 'auto') return ttlUntil - loadMs * LOAD_TIMES_MOST
  return createdAt + (ttlUntil - createdAt) * ahead
}

/** Which values one reader would renew. */
export type Due = (lifetime: Lifetime) => boolean

/**
 * Decides for one reader. `'auto'` is XFetch (Vattani, Chierichetti, Lowenstein: "Optimal Probabilistic Cache Stampede
 * Prevention", 2015, with beta = 1): each reader supposes that it comes later than it does, by the load time multiplied by
 * a number that is drawn from the exponential distribution. `chance` is in [0, 1).
 */
export function dueFor(ahead: RefreshAhead, now: number, chance: number): Due {
  if (ahead !== 'auto') return (lifetime) => now >= calmUntil(lifetime, ahead)
  const factor = -Math.log(1 - chance)
  return ({ ttlUntil, loadMs }) => now + loadMs * factor >= ttlUntil
}
