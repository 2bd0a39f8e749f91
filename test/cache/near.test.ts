import { describe, expect, test } from 'vitest'
import { isFresh, standing } from '../../src/cache/near.ts'
import type { Loader } from '../../src/cache/load-context.ts'
import type { CreateCacheOptions } from '../../src/create-cache.ts'
import { assemble, partsOf } from '../../src/create-cache.ts'
import type { Duration } from '../../src/options.ts'
import { NearEntry } from '../../src/tiers/near-entry.ts'
import { FakeClock } from '../doubles/fake-clock.ts'

function setup(options?: CreateCacheOptions) {
  const clock = new FakeClock()
  return { clock, cache: assemble({ defaults: { jitter: 0 }, ...options }, clock) }
}

/** A loader that says how long its value is fresh. */
const ttlOf =
  (ttl: Duration): Loader<number> =>
  ({ setTtl }) => {
    setTtl(ttl)
    return 1
  }

describe('deadlines', () => {
  test('an entry is fresh until its ttl is over, to the millisecond', async () => {
    const { cache, clock } = setup()
    await cache.set('k', 1, { ttl: 1000 })
    clock.advance(999)
    expect(cache.peek('k')).toBe(1)
    expect(await cache.getEntry('k')).toMatchObject({ value: 1, freshness: 'fresh', age: 999, ttl: 1, tier: 'l1' })
    clock.advance(1)
    expect(cache.peek('k')).toBeUndefined()
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
  })

  test('the default ttl is five minutes', async () => {
    const { cache, clock } = setup()
    await cache.set('k', 1)
    clock.advance(299_999)
    expect(await cache.get('k')).toBe(1)
    clock.advance(1)
    expect(await cache.get('k')).toBeUndefined()
  })

  test("'never' has no end", async () => {
    const { cache, clock } = setup()
    await cache.set('k', 1, { ttl: 'never' })
    clock.advance(1e12)
    expect(await cache.getEntry('k')).toMatchObject({ value: 1, ttl: Number.POSITIVE_INFINITY })
  })

  test('a ttl of 0 stores nothing that would be served', async () => {
    const { cache } = setup()
    await cache.set('k', 1, { ttl: 0 })
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', () => 2, { ttl: 0 })).toBe(2)
    expect(await cache.getOrSet('k', () => 3, { ttl: 0 })).toBe(3)
  })

  test('jitter shortens a ttl by up to its fraction, and by a different amount each time', async () => {
    const { cache } = setup()
    const ttls = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        await cache.set(`k${index}`, 1, { ttl: 1000, jitter: 0.2 })
        return (await cache.getEntry(`k${index}`))?.ttl ?? 0
      }),
    )
    expect(Math.min(...ttls)).toBeGreaterThanOrEqual(800)
    expect(Math.max(...ttls)).toBeLessThanOrEqual(1000)
    expect(new Set(ttls).size).toBeGreaterThan(40)
  })

  test('l1Ttl ends an entry in L1 before its ttl', async () => {
    const { cache, clock } = setup()
    await cache.set('k', 1, { ttl: '1h', stale: '1h', l1Ttl: '1s' })
    clock.advance(1000)
    expect(await cache.getEntry('k')).toBeUndefined()
  })

  test('a stale entry is told as stale, not served by get and peek, and gone when stale is over', async () => {
    const { cache, clock } = setup()
    await cache.set('k', 1, { ttl: 1000, stale: 500 })
    clock.advance(1000)
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.peek('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
    expect(await cache.getEntry('k')).toMatchObject({ value: 1, freshness: 'stale', ttl: 0 })
    clock.advance(500)
    expect(await cache.getEntry('k')).toBeUndefined()
  })

  test('setTtl of the loader wins over the call', async () => {
    const { cache } = setup()
    await cache.getOrSet('k', ttlOf('3s'), { ttl: '1h' })
    expect((await cache.getEntry('k'))?.ttl).toBe(3000)
    const bad = cache.getOrSet('bad', ttlOf(-1))
    await expect(bad).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  })
})

describe('bounds', () => {
  test('the least recently used go first when there are too many entries', async () => {
    const { cache } = setup({ l1: { maxEntries: 3 } })
    for (const key of ['a', 'b', 'c']) await cache.set(key, key)
    cache.peek('a')
    await cache.set('d', 'd')
    expect(['a', 'b', 'c', 'd'].map((key) => cache.peek(key))).toEqual(['a', undefined, 'c', 'd'])
    expect(cache.gauges().l1Entries).toBe(3)
    expect(cache.counters.evictions).toBe(1)
  })

  test('bytes are bounded too, and an entry larger than all of L1 is not kept', async () => {
    const { cache } = setup({ l1: { maxBytes: 10_000 } })
    for (let index = 0; index < 20; index++) await cache.set(`k${index}`, 'x'.repeat(1000))
    const { l1Entries, l1Bytes } = cache.gauges()
    expect(l1Bytes).toBeLessThanOrEqual(10_000)
    expect(l1Entries).toBeGreaterThan(5)
    await cache.set('k19', 'x'.repeat(20_000))
    expect(cache.peek('k19')).toBeUndefined()
    expect(cache.peek('k18')).toBeDefined()
  })
})

describe('a hit', () => {
  test.each([
    ['proven since this process was behind', { asOf: 0, verifiedAt: 600, behindAt: 500 }, true],
    ['not proven since then', { asOf: 0, verifiedAt: 400, behindAt: 500 }, false],
    ['read since then', { asOf: 600, verifiedAt: 400, behindAt: 500 }, true],
    [
      'never proven, and read too long ago',
      { asOf: -1e6, verifiedAt: Number.NEGATIVE_INFINITY, behindAt: -1e7 },
      false,
    ],
  ])('of an entry that was %s: %#', (_what, { asOf, verifiedAt, behindAt }, isOne) => {
    const parts = partsOf(undefined, new FakeClock())
    const currency = { verifiedAt, behindAt, emptyAt: Number.NEGATIVE_INFINITY }
    const home = { isRoot: true, bucket: 0, currency, groups: [] }
    const times = { asOf, createdAt: 0, freshUntil: 2000, staleUntil: 2000, keptUntil: 2000, ttlUntil: undefined }
    const rest = { tags: [], groups: [], mark: parts.marks.count, bytes: 1, shared: true, tiers: 'all' } as const
    const near = new NearEntry({ value: 1, home, schema: undefined, ...times, ...rest })
    expect([isFresh(parts, near, 1000), standing(parts, near, 1000) === 'fresh']).toEqual([isOne, isOne])
  })
})
