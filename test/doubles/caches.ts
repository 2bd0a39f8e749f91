import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { systemClock } from '../../src/clock.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import { createCache, partsOf, start } from '../../src/create-cache.ts'
import type { Address } from '../../src/entry/entry.ts'
import type { RedisNames } from '../../src/entry/key.ts'
import { Line } from './line.ts'
import { MemoryFleet } from './memory-fleet.ts'
import type { RedisServer } from './redis.ts'
import { startRedis } from './redis.ts'
import type { RunningForm } from './redis-forms.ts'
import { inChosenForms, keyBeside, keyInBucket } from './redis-forms.ts'
import type { Admin } from './redis-forms-servers.ts'

/** Makes caches of one form; what a test made is closed after it. */
export interface Kit {
  /** Whether caches of this form share their entries through Redis. */
  readonly isShared: boolean
  /** A cache that is ready: with Redis, its bus has proved that it is current. */
  make(options?: CreateCacheOptions): Promise<Cache>
}

/** Makes caches that share a Redis, whatever its form, under a prefix of each test. */
export interface RedisKit extends Kit {
  /** For looking at keys, with all rights. A command goes to the server of its first key. */
  redis(): Admin
  /** The prefix of the names of this test. */
  prefix(): string
  /** The names in the bucket of an entry. */
  names(address: Address): RedisNames
  /** A key of the same namespace in the bucket of an entry. */
  beside(address: Address, label: string): string
  /** All servers that hold keys. */
  masters(): readonly Redis[]
  buckets(): number
  /** Says something on the channel of an entry. */
  publish(address: Address, text: string): Promise<void>
  /** Loses everything. */
  flush(): Promise<void>
  /** How much memory each server may take, until the end of the test; 0 for no bound. */
  limitMemory(bytes: number): Promise<void>
}

/** Makes caches that share one server, with which a test may do what it likes. */
export interface OneRedisKit extends Kit {
  server(): RedisServer
}

/** Runs a suite over L1 alone, and L1 before a real Redis, in its chosen forms. */
export function inBothForms(suite: (kit: Kit) => void): void {
  describe('L1 alone', () => {
    suite(closing({ isShared: false, make: async (options) => createCache(options) }))
  })
  withRedis('L1 and L2', suite)
}

/** Runs a suite over every form: L1 alone, L1 and L2 in memory, and L1 before a real Redis, in its chosen forms. */
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

/** Tests of one file may share a server: their names differ. */
let prefixes = 0

/** Runs a suite over caches that share a real Redis, which is empty under the names of each test, in its chosen forms. */
export function withRedis(name: string, suite: (kit: RedisKit) => void): void {
  describe(name, () => {
    inChosenForms((form) => {
      const prefix = () => `t${prefixes}`
      beforeEach(async () => {
        prefixes++
        await form().admit(prefix())
      })
      const make = async (options?: CreateCacheOptions) => {
        // A machine under load answers late; tests of deadlines have a server of their own.
        const own = { redis: form().source(), prefix: prefix(), commandTimeout: '5s' } as const
        const cache = createCache({ ...own, ...options })
        await current(cache, form())
        return cache
      }
      const limitMemory = async (bytes: number) => {
        await Promise.all(
          form()
            .masters()
            .map((master) => master.config('SET', 'maxmemory', String(bytes))),
        )
        isLimited = bytes > 0
      }
      let isLimited = false
      afterEach(() => (isLimited ? limitMemory(0) : undefined))
      const names = (address: Address) => form().names(prefix(), address)
      suite({
        ...closing({ isShared: true, make }),
        redis: () => form().admin,
        prefix,
        names,
        beside: (address, label) => keyBeside(address, form().buckets, label),
        masters: () => form().masters(),
        buckets: () => form().buckets,
        publish: (address, text) => form().publish(names(address), text),
        flush: () => form().flush(),
        limitMemory,
      })
    })
  })
}

/**
 * Runs a suite over caches that share one server of the suite's own. `because`: what is done to that server which would
 * mean something else, or nothing, for other forms of Redis.
 */
export function withOneRedis(name: string, because: string, suite: (kit: OneRedisKit) => void): void {
  describe(`${name} (one server: ${because})`, () => {
    let server: RedisServer
    beforeAll(async () => {
      server = await startRedis()
    })
    afterAll(() => server.stop())
    beforeEach(() => {
      prefixes++
    })
    const make = async (options?: CreateCacheOptions) => {
      const cache = createCache({ redis: server.url, prefix: `t${prefixes}`, ...options })
      await current(cache)
      return cache
    }
    suite({ ...closing({ isShared: true, make }), server: () => server })
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

/** What reaches each server of a cache: one key in a bucket of each. Caches on one server need not be told. */
const reaching = new WeakMap<Cache, readonly string[]>()

/** Resolves when the cache hears what others do, of all buckets: it has proven that it is current. */
export async function current(cache: Cache, { buckets, bucketOfEach }: Partial<RunningForm> = {}): Promise<void> {
  const count = buckets ?? 1
  const keys = Array.from({ length: count }, (_, bucket) => keyInBucket(bucket, count, '(ready)'))
  if (bucketOfEach)
    reaching.set(
      cache,
      bucketOfEach.map((bucket) => keyInBucket(bucket, count, '(probe)')),
    )
  // A machine under load may take longer for a first connection than a call waits for it.
  await expect.poll(() => cache.stats().l2Usable, { timeout: 5000 }).toBe(true)
  // Without a first link there is nothing to prove, and what is told before the channels are subscribed to is not heard.
  let before = cache.counters.noticesReceived
  const heard = async () => {
    const received = cache.counters.noticesReceived - before
    before = cache.counters.noticesReceived
    await Promise.all(keys.map((key) => cache.delete(key, { requireAck: true })))
    return received
  }
  await expect.poll(heard, { timeout: 5000, interval: 10 }).toBeGreaterThanOrEqual(keys.length)
  await expect.poll(() => cache.gauges().coherent, { timeout: 5000, interval: 5 }).toBe(true)
}

/**
 * Resolves when `listener` has heard all that was told before this call. Notices of one server arrive in order, so of
 * several probes only the last few can still be on their way when as many notices have come.
 */
export async function heardAll(listener: Cache, teller: Cache): Promise<void> {
  const keys = reaching.get(teller) ?? ['(probe)']
  const probes = 8
  const before = listener.counters.noticesReceived
  for (let probe = 0; probe < probes; probe++) for (const key of keys) await teller.delete(key)
  await expect.poll(() => listener.counters.noticesReceived).toBeGreaterThanOrEqual(before + probes * keys.length)
}
