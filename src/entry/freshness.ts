/**
 * How an entry stands at an instant.
 *
 * - `fresh`: serve it.
 * - `stale`: serve it, and load a new value behind it.
 * - `expired`: never serve it.
 */
export type Freshness = 'fresh' | 'stale' | 'expired'

/** What an entry is judged by. */
export interface Deadlines {
  readonly freshUntil: number
  readonly staleUntil: number
}

/** Stands in place of `freshUntil` in an entry that was made stale before its time. In Redis, 0 does. */
export const MADE_STALE = Number.NEGATIVE_INFINITY

/** Whether an entry was made stale before its time; as Redis tells it, too, where 0 stands for that. */
export function isMadeStale({
  createdAt,
  freshUntil,
}: {
  readonly createdAt: number
  readonly freshUntil: number
}): boolean {
  return freshUntil < createdAt
}

/** Judges an entry by its own two deadlines. `now` is the caller's clock. */
export function judge(entry: Deadlines, now: number): Freshness {
  if (now < entry.freshUntil) return 'fresh'
  if (now < entry.staleUntil) return 'stale'
  return 'expired'
}

/** How old it is, as people are told: in whole ms, rounded down. */
export function ageAt(createdAt: number, now: number): number {
  return Math.max(0, Math.floor(now - createdAt))
}

/** How long it will still be fresh, as people are told: in whole ms, rounded up, so that only what is stale has none. */
export function ttlAt(freshUntil: number, now: number): number {
  return Math.max(0, Math.ceil(freshUntil - now))
}

/**
 * The deadlines of an entry that gets a new TTL: for how long it may be served stale after that stays as it is. What was
 * made stale stays so, and lives on for the TTL at least. `redis/lua/touch-n.lua` does the same.
 */
export function prolonged({ freshUntil, staleUntil }: Deadlines, now: number, ttlMs: number): Deadlines {
  const ends = now + ttlMs
  if (freshUntil === MADE_STALE) return { freshUntil, staleUntil: Math.max(staleUntil, ends) }
  // Without an end there is nothing after it.
  const windowMs = freshUntil === Number.POSITIVE_INFINITY ? 0 : Math.max(0, staleUntil - freshUntil)
  return { freshUntil: ends, staleUntil: ends + windowMs }
}
