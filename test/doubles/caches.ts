import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { systemClock } from '../../src/clock.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import { createCache, partsOf, start } from '../../src/create-cache.ts'
import { Line } from './line.ts'
import { MemoryFleet } from './memory-fleet.ts'
import type { RedisServer } from './redis.ts'
import { startRedis } from './redis.ts'

/** Makes caches of one form; what a test made is closed after it. */
export interface Kit {
  /** Whether caches of this form share their entries through Redis. */
  readonly isShared: boolean
  /** A cache that is ready: with Redis, its bus has proved that it is current. */
  make(options?: CreateCacheOptions): Promise<Cache>
}

/** Runs a suite over both forms of a cache: L1 alone, and L1 before a real Redis. */
export function inBothForms(suite: (kit: Kit) => void): void {
  describe('L1 alone', () => {
    suite(closing({ isShared: false, make: async (options) => createCache(options) }))
  })
  withRedis('L1 and L2', suite)
}

/** Runs a suite over every form: L1 alone, L1 and L2 in memory, and L1 before a real Redis. */
export function inEveryForm(suite: (kit: Kit) => void): void {
  describe('L1 and L2 in memory', () => {
    let fleet: MemoryFleet
    beforeEach(() => {
      fleet = new MemoryFleet(systemClock, 3000)
    })
    const make = async (options?: CreateCacheOptions) => {
      const parts = partsOf(options, systemClock)
      return start({ ...parts, ...fleet.join(parts.bus.origin, new Line()) })
    }
    suite(closing({ isShared: true, make }))
  })
  inBothForms(suite)
}

/** Runs a suite over caches that share a Redis of the suite's own, which is empty for each test. */
export function withRedis(name: string, suite: (kit: Kit & { readonly server: () => RedisServer }) => void): void {
  describe(name, () => {
    let server: RedisServer
    let prefixes = 0
    beforeAll(async () => {
      server = await startRedis()
    })
    afterAll(() => server.stop())
    afterEach(() => {
      prefixes++
    })
    const make = async (options?: CreateCacheOptions) => {
      const cache = createCache({ redis: server.url, prefix: `t${prefixes}`, ...options })
      await current(cache)
      return cache
    }
    suite(Object.assign(closing({ isShared: true, make }), { server: () => server }))
  })
}

function closing(kit: Kit): Kit {
  const made: Cache[] = []
  afterEach(async () => {
    await Promise.all(made.splice(0).map((cache) => cache.close()))
  })
  return {
    ...kit,
    make: async (options) => {
      const cache = await kit.make(options)
      made.push(cache)
      return cache
    },
  }
}

/** Resolves when the cache hears what others do: the chain's first link is known to it. */
export async function current(cache: Cache): Promise<void> {
  const deadline = Date.now() + 5000
  const heard = new Promise((resolve) => cache.on('gap', resolve))
  // A machine under load may take longer for a first connection than a call waits for it.
  await expect.poll(() => cache.stats().l2Usable, { timeout: 5000 }).toBe(true)
  const { acknowledged } = await cache.delete('(ready)')
  if (!acknowledged) throw new Error('a cache under test could not reach its Redis')
  // The first link that a process hears is a gap to it; without one by then, the suite cannot go on.
  const late = new Promise((_, reject) =>
    setTimeout(() => reject(new Error('the bus was not heard')), deadline - Date.now()).unref(),
  )
  await Promise.race([heard, late])
}

/**
 * Resolves when `listener` has heard all that was told before this call. Notices arrive in order, so of several probes
 * only the last few can still be on their way when as many notices have come.
 */
export async function heardAll(listener: Cache, teller: Cache): Promise<void> {
  const probes = 8
  const before = listener.counters.noticesReceived
  for (let probe = 0; probe < probes; probe++) await teller.delete('(probe)')
  await expect.poll(() => listener.counters.noticesReceived).toBeGreaterThanOrEqual(before + probes)
}
